import type { QuantisedVectors } from '@studymate/study/search/quantised-vectors';
import { toQueryTerms } from '@studymate/study/search/query-terms';
import { fuseByRank, type Hit } from '@studymate/study/search/rank';
import {
  type Breathe,
  type LocatedQuery,
  locateQuery,
  searchKeywords,
  searchVectors,
} from '@studymate/study/search/search-shards';
import { createSearchWords, type SearchWords } from '@studymate/study/search/search-words';
import type { OpenLibrary } from './libraries.ts';
import type { LecturePart } from './load-lecture.ts';
import type { Found } from './moments.ts';

/** The lectures of a library that one question is about. */
export interface Scope {
  library: OpenLibrary;
  parts: readonly LecturePart[];
  /** Lectures that are looked through, and those that there are. */
  lectures: { searched: number; total: number };
}

/** So many of each way are joined: what stands further down in both changes nothing at the top. */
const listLength = 100;
/** Below this the model finds two texts no more alike than any two. */
const leastCosine = 0.2;

export function toScope(
  library: OpenLibrary,
  wanted: { lectureId?: string | undefined; courseId?: string | undefined },
): Scope {
  const parts: LecturePart[] = [];
  let searched = 0;
  for (const lecture of library.lectures.values()) {
    if (wanted.lectureId !== undefined && lecture.lectureId !== wanted.lectureId) continue;
    if (wanted.courseId !== undefined && lecture.courseId !== wanted.courseId) continue;
    parts.push(...lecture.parts);
    searched++;
  }
  // To which course those belong that are not loaded yet, nobody knows: they might be of it.
  const missing = wanted.lectureId === undefined ? library.missing() : 1 - searched;
  return { library, parts, lectures: { searched, total: searched + missing } };
}

/** What a text was looked for by: the words of a language, and the terms that stand for them. */
export interface AskedWords {
  words: SearchWords;
  /** All of them. */
  terms: ReadonlySet<string>;
  /** Where they stand; null when nobody looked. */
  located: LocatedQuery | null;
}

export interface KeywordFindings {
  hits: Hit[];
  /** By language. */
  asked: ReadonlyMap<string, AskedWords>;
}

/**
 * Each language by itself, since words are stemmed as those of the lecture are.
 * @param limit of hits; 0: only what the words stand for is wanted
 */
export async function findByWords(
  scope: Scope,
  text: string,
  breathe: Breathe,
  limit = listLength,
): Promise<KeywordFindings> {
  const asked = new Map<string, AskedWords>();
  const hits: Hit[] = [];
  for (const language of new Set(scope.parts.map((part) => part.language))) {
    const words = createSearchWords(language);
    const query = toQueryTerms(text, words, scope.library.dictionary);
    const terms = new Set(query.flatMap((word) => word.terms.map(({ term }) => term)));
    if (limit === 0) {
      asked.set(language, { words, terms, located: null });
      continue;
    }
    const shards = scope.parts.map((part) => (part.language === language ? part.shard : undefined));
    const located = await locateQuery(shards, query, breathe);
    asked.set(language, { words, terms, located });
    for (const hit of await searchKeywords(shards, located, limit, breathe)) hits.push(hit);
  }
  hits.sort((a, b) => b.score - a.score);
  return { hits: hits.slice(0, limit), asked };
}

export async function findByMeaning(
  scope: Scope,
  query: { vector: QuantisedVectors; weights: string },
  breathe: Breathe,
  options: { limit?: number; floor?: number; without?: string } = {},
): Promise<Hit[]> {
  const isFit = ({ weights, lectureId }: LecturePart) => weights === query.weights && lectureId !== options.without;
  const shards = scope.parts.map((part) => (isFit(part) ? part.shard : undefined));
  const { limit = listLength, floor = leastCosine } = options;
  return searchVectors(shards, query.vector, { limit, floor }, breathe);
}

/** @param lists of hits whose shards are the scope's parts */
export function toFound(scope: Scope, lists: readonly (readonly Hit[])[]): Found[] {
  const hits = lists.length === 1 ? (lists[0] as Hit[]) : fuseByRank(lists);
  return hits.map(({ shard, row, score }) => ({ part: scope.parts[shard] as LecturePart, row, score }));
}
