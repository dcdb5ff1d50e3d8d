import { AppError } from '@studymate/contracts/errors';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import type { Logger } from '@studymate/observability/logger';
import type { Services } from '../services.ts';
import type { Libraries } from './libraries.ts';
import type { Moments } from './moments.ts';
import type { QueryVectors } from './query-vectors.ts';
import type { ReadableLectures } from './readable-lectures.ts';
import { type Scope, toScope } from './scope.ts';

/** What search, questions and related moments have in common. */
export interface SearchContext {
  services: Services;
  readable: ReadableLectures;
  libraries: Libraries;
  moments: Moments;
  vectors: QueryVectors;
  logger: Logger;
  /**
   * Work that takes the thread or the store; waiting for a worker is none.
   * @throws AppError `too_many_requests`
   */
  limited<T>(work: () => Promise<T>): Promise<T>;
}

/** @throws AppError `not_found`, also for a lecture of somebody else */
export async function readReadable(
  { services, readable }: SearchContext,
  owner: string,
  lectureId: string,
): Promise<LectureRecord> {
  const record = await services.lectures.read(lectureId);
  if (!record || !(await readable.canRead(owner, record))) throw new AppError('not_found', 'There is no such lecture.');
  return record;
}

/** What of the caller's lectures is asked about: of one lecture `readReadable` has said that it may be read. */
export async function openScope(
  context: SearchContext,
  owner: string,
  wanted: { lectureId?: string | undefined; courseId?: string | undefined },
): Promise<Scope> {
  return toScope(await context.libraries.open(owner), wanted);
}
