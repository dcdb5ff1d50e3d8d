import { AppError } from '@studymate/contracts/errors';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
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

/** What of the caller's lectures is asked about. @throws AppError `not_found` */
export async function openScope(
  context: SearchContext,
  owner: string,
  wanted: { lectureId?: string | undefined; courseId?: string | undefined },
): Promise<Scope> {
  if (wanted.lectureId !== undefined) await readReadable(context, owner, wanted.lectureId);
  return toScope(await context.libraries.open(owner), wanted);
}
