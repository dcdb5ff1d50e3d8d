import { AppError } from '@studymate/contracts/errors';
import type { Lecture } from '@studymate/contracts/lecture';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import type { Logger } from '@studymate/observability/logger';
import { announceCancel } from '@studymate/queue/cancel';
import { withRedis } from '@studymate/queue/redis';
import type { Services } from '../services.ts';
import { hasEnded, type LectureReader } from './lecture-reader.ts';

export interface LectureChanger {
  /**
   * Decides on the record as it stands, changes it, and gives what came of it.
   * @param decide gives the change, which must be pure, or null for none
   * @throws AppError `not_found`; what `decide` throws
   */
  change(
    before: LectureRecord,
    decide: (record: LectureRecord) => Promise<((record: LectureRecord) => LectureRecord) | null>,
  ): Promise<{ record: LectureRecord; view: Lecture }>;
  /** Ends all work on a lecture, and tells its followers. One that has ended stays as it is. */
  cancel(before: LectureRecord): Promise<Lecture>;
  /** Tells workers and followers of what the store says anyway: Redis may be away without harm. */
  tell(lectureId: string, work: () => Promise<unknown>): Promise<void>;
}

export function createLectureChanger(deps: {
  services: Pick<Services, 'lectures' | 'redis' | 'keys' | 'advancer' | 'publisher'>;
  reader: LectureReader;
  logger: Logger;
}): LectureChanger {
  const { reader } = deps;
  const { lectures, redis, keys, advancer, publisher } = deps.services;

  const tell: LectureChanger['tell'] = async (lectureId, work) => {
    await withRedis(work).catch((error) => deps.logger.warn({ err: error, lectureId }, 'could not tell the workers'));
  };

  const change: LectureChanger['change'] = async ({ owner, id }, decide) => {
    const before = await reader.readRecord(owner, id);
    const toChanged = await decide(before);
    const after = toChanged ? await lectures.update(id, toChanged) : before;
    if (!after) throw new AppError('not_found', 'There is no such lecture.');
    return { record: after, view: await reader.toView(after) };
  };

  return {
    change,
    tell,
    async cancel(before) {
      const { id } = before;
      const now = new Date().toISOString();
      let changed = false;
      const { record, view } = await change(before, async (current) => {
        changed = !hasEnded(await reader.toView(current));
        return changed
          ? (current) => (current.cancelledAt === null ? { ...current, cancelledAt: now } : current)
          : null;
      });
      if (changed) {
        await tell(id, async () => {
          await announceCancel(redis, keys, id);
          await advancer.withdraw(record);
          await publisher.publishEnd(record, view);
        });
      }
      return view;
    },
  };
}
