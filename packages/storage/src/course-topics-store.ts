import { createHash } from 'node:crypto';
import { courseTopicsArtifactSchema, type KeptCourseTopics } from '@studymate/contracts/artifacts';
import type { CourseRecord } from '@studymate/contracts/course';
import { AppError } from '@studymate/contracts/errors';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import { type ArtifactReader, toJsonBytes } from './artifacts.ts';
import type { BlobStore } from './blob-store.ts';
import type { CourseStore } from './course-store.ts';
import { courseTopicsKey, courseTopicsPrefix, parseCourseTopicsKey, searchIndexKey } from './lecture-keys.ts';
import type { LectureStore } from './lecture-store.ts';

/** The algorithm by which topics over a course are found: with the next one, all are made anew. */
const algorithm = 'course-topics@1';

/** Topics over the lectures of courses: a numbered version each time that they are made, of which the newest is kept. */
export interface CourseTopicsStore {
  /** The newest version; null when there is none or it is damaged. */
  read(courseId: string): Promise<KeptCourseTopics | null>;
  /** Writes the next version, and removes those before it. Of two writers at once, one does. */
  write(courseId: string, kept: KeptCourseTopics): Promise<void>;
  /** The lectures of a course, the earliest first; those that cannot be read are left out. */
  listLectures(course: CourseRecord): Promise<LectureRecord[]>;
  /**
   * Removes topics that know of a lecture that was deleted or has left the course, and those of deleted courses.
   * @returns of how many courses
   */
  collect(courses: Pick<CourseStore, 'read'>): Promise<number>;
}

const readsAtOnce = 8;

export function createCourseTopicsStore(deps: {
  blobs: BlobStore;
  artifacts: Pick<ArtifactReader, 'readArtifact'>;
  lectures: Pick<LectureStore, 'listIds' | 'read'>;
}): CourseTopicsStore {
  const { blobs, artifacts, lectures } = deps;

  const listVersions = async (courseId: string): Promise<number[]> => {
    const keys = await blobs.list(courseTopicsPrefix(courseId));
    return keys.flatMap((key) => parseCourseTopicsKey(key)?.version ?? []);
  };

  const read: CourseTopicsStore['read'] = async (courseId) => {
    const newest = (await listVersions(courseId)).at(-1);
    if (newest === undefined) return null;
    return unlessDamaged(artifacts.readArtifact(courseTopicsKey(courseId, newest), courseTopicsArtifactSchema));
  };

  const listLectures: CourseTopicsStore['listLectures'] = async (course) => {
    const ids = (await lectures.listIds(course.owner, { limit: Number.POSITIVE_INFINITY })).reverse();
    const found: LectureRecord[] = [];
    for (let i = 0; i < ids.length; i += readsAtOnce) {
      const records = await Promise.all(ids.slice(i, i + readsAtOnce).map((id) => unlessDamaged(lectures.read(id))));
      for (const record of records) if (record && isOfCourse(record, course.id)) found.push(record);
    }
    return found;
  };

  return {
    read,
    listLectures,
    async write(courseId, kept) {
      const versions = await listVersions(courseId);
      const next = (versions.at(-1) ?? 0) + 1;
      await blobs.create(courseTopicsKey(courseId, next), toJsonBytes(courseTopicsArtifactSchema.parse(kept)));
      for (const version of versions) await blobs.delete(courseTopicsKey(courseId, version));
    },
    async collect(courses) {
      const courseIds = new Set<string>();
      for await (const key of blobs.walk(courseTopicsPrefix())) {
        const parsed = parseCourseTopicsKey(key);
        if (parsed) courseIds.add(parsed.courseId);
      }
      let removed = 0;
      for (const courseId of courseIds) {
        if (await isOfToday(courseId, courses)) continue;
        await blobs.deletePrefix(courseTopicsPrefix(courseId));
        removed++;
      }
      return removed;
    },
  };

  async function isOfToday(courseId: string, courses: Pick<CourseStore, 'read'>): Promise<boolean> {
    if (!(await unlessDamaged(courses.read(courseId)))) return false;
    for (const { lectureId } of (await read(courseId))?.lectures ?? []) {
      const record = await unlessDamaged(lectures.read(lectureId));
      if (!record || !isOfCourse(record, courseId)) return false;
    }
    return true;
  }
}

function isOfCourse(record: LectureRecord, courseId: string): boolean {
  return record.courseId === courseId && record.transientUntil === undefined;
}

/** The index of which a lecture's part in the topics is made; null while there is none. */
export function toTopicSource(record: LectureRecord): string | null {
  const pinned = record.artifacts.chapters;
  return pinned === undefined ? null : searchIndexKey(record.id, pinned.attempt);
}

/** By which it is seen whether what is kept is of today's lectures. */
export function toTopicsInputHash(sources: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify([algorithm, [...sources].sort()]))
    .digest('hex')
    .slice(0, 32);
}

/** A value, or null when it is damaged or of a later StudyMate: one lecture must not hide the others. */
async function unlessDamaged<T>(reading: Promise<T | null>): Promise<T | null> {
  return reading.catch((error: unknown) => {
    const code = error instanceof AppError ? error.code : undefined;
    if (code === 'internal' || code === 'newer_version') return null;
    throw error;
  });
}
