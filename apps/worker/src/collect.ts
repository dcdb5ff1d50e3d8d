import type { Config } from '@studymate/config/config';
import { removeLeftClips } from '@studymate/media/decode-clip';
import type { Logger } from '@studymate/observability/logger';
import type { BlobStore } from '@studymate/storage/blob-store';
import { createClaims } from '@studymate/storage/claims';
import { collectOrphans } from '@studymate/storage/collect-orphans';
import type { CourseStore } from '@studymate/storage/course-store';
import type { CourseTopicsStore } from '@studymate/storage/course-topics-store';
import type { LectureStore } from '@studymate/storage/lecture-store';
import type { UploadStore } from '@studymate/storage/upload-store';
import { deleteExpired } from './retention.ts';

/**
 * What is done once an hour: everything that has expired, that was deleted half-way, or that dead processes have left, is
 * removed. A step that fails keeps none of the others from being done.
 * @param deps.forget what Redis knows of a lecture that was deleted
 * @returns a function that throws the first fault, once all has been tried
 */
export function createCollect(deps: {
  blobs: BlobStore;
  lectures: LectureStore;
  uploads: Pick<UploadStore, 'collectExpired'>;
  courses: CourseStore;
  courseTopics: Pick<CourseTopicsStore, 'collect'>;
  config: Pick<Config, 'uploads' | 'retentionDays'>;
  clipDir: string;
  forget(lectureId: string): Promise<void>;
  logger: Pick<Logger, 'info' | 'debug' | 'warn'>;
}): () => Promise<void> {
  const { blobs, lectures, uploads, courses, courseTopics, config, clipDir, forget, logger } = deps;

  const steps: Record<string, () => Promise<unknown>> = {
    async clips() {
      const leftClips = await removeLeftClips(clipDir);
      if (leftClips > 0) logger.info({ leftClips }, 'clips that killed workers left were removed');
    },
    async deletions() {
      const finished = await lectures.finishDeletions();
      if (finished > 0) logger.info({ finished }, 'deletions that dead processes left half-way were finished');
    },
    async uploads() {
      const expiredUploads = await uploads.collectExpired(config.uploads);
      if (expiredUploads > 0) logger.info({ expiredUploads }, 'expired uploads were removed');
    },
    async retention() {
      const onError = (error: unknown, lectureId: string) =>
        logger.warn({ err: error, lectureId }, 'an old lecture was not deleted');
      const expired = await deleteExpired({ lectures, forget, onError }, config.retentionDays);
      if (expired > 0) logger.info({ expired }, 'old lectures were deleted');
    },
    topics: () => courseTopics.collect(courses),
    async orphans() {
      const collected = await collectOrphans({ blobs });
      if (collected.removed.length + collected.unfinishedFiles + collected.unreadableLectures.length > 0) {
        logger.info(collected, 'what dead processes left in the store was looked for');
      }
    },
    async claims() {
      const claims = await createClaims({ blobs }).collect();
      if (claims > 0) logger.debug({ claims }, 'expired claims were removed');
    },
  };

  return async () => {
    const faults: unknown[] = [];
    for (const [step, run] of Object.entries(steps)) {
      try {
        await run();
      } catch (error) {
        logger.warn({ err: error, step }, 'not everything that should go could be removed');
        faults.push(error);
      }
    }
    if (faults.length > 0) throw faults[0];
  };
}
