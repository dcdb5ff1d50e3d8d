import { chaptersArtifactSchema } from '@studymate/contracts/artifacts';
import { AppError } from '@studymate/contracts/errors';
import type { RelatedResponse, relatedQuerySchema } from '@studymate/contracts/search';
import { toMeanVector } from '@studymate/study/search/quantised-vectors';
import type { z } from 'zod';
import { readStageContent } from '../lectures/artifact-reader.ts';
import { createBreathe } from './breathe.ts';
import type { Found } from './moments.ts';
import { findByMeaning, toFound } from './scope.ts';
import { openScope, readReadable, type SearchContext } from './search-context.ts';

/** A chapter by its place in the list that `…/chapters` gives. */
export interface ChapterPlace {
  lectureId: string;
  index: number;
}

/** Below this two passages treat different things; the mean of a chapter is nearer to everything than a sentence is. */
const leastCosine = 0.4;
/** Of one lecture, so that another one is seen as well. */
const mostOfALecture = 2;
const looked = 100;

/**
 * Moments of other lectures that treat the same thing as a chapter: those whose passages are near the mean of the chapter's.
 * In the lecture's own course, unless another is named; without a course, in all lectures.
 * @throws AppError `not_found`, and what says why there are no chapters
 */
export async function findRelated(
  context: SearchContext,
  owner: string,
  { lectureId, index }: ChapterPlace,
  query: z.output<typeof relatedQuerySchema>,
): Promise<RelatedResponse> {
  const record = await readReadable(context, owner, lectureId);
  const chapters = await readStageContent(context.services.artifacts, record, 'chapters', chaptersArtifactSchema);
  const chapter = chapters[index];
  if (!chapter) throw new AppError('not_found', 'There is no such chapter.');
  const courseId = query.courseId ?? record.courseId ?? undefined;
  const scope = await openScope(context, owner, { courseId });
  const part = (await openScope(context, owner, { lectureId })).parts.find(({ shard }) => shard.vectors);
  const kept = part && (await context.moments.read(part, record));
  const none = { moments: [], lectures: scope.lectures };
  if (!part?.shard.vectors || part.weights === null || !kept) return none;
  const rows = kept.passages.flatMap(({ start }, row) => (start >= chapter.start && start < chapter.end ? [row] : []));
  const vector = toMeanVector(part.shard.vectors, rows);
  if (!vector) return none;
  const hits = await findByMeaning(scope, { vector, weights: part.weights }, createBreathe(), {
    limit: looked,
    floor: leastCosine,
    without: lectureId,
  });
  const spread = spreadOverLectures(toFound(scope, [hits]));
  const described = await context.moments.describe(spread, { owner, courseId, limit: query.limit });
  return { moments: described.map(({ moment }) => moment), lectures: scope.lectures };
}

function spreadOverLectures(found: readonly Found[]): Found[] {
  const counts = new Map<string, number>();
  return found.filter(({ part: { lectureId } }) => {
    const count = (counts.get(lectureId) ?? 0) + 1;
    counts.set(lectureId, count);
    return count <= mostOfALecture;
  });
}
