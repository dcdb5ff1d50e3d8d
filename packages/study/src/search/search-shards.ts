import { toRarity, toTermScore } from './bm25.ts';
import { cosines, type QuantisedVectors } from './quantised-vectors.ts';
import type { QueryTerm } from './query-terms.ts';
import { type BestHits, createBestHits, type Hit } from './rank.ts';
import { findPostings, type Shard } from './shard.ts';

/** Called often; lets others have the thread from time to time. */
export type Breathe = () => Promise<void> | undefined;

interface FoundTerm {
  weight: number;
  /** By place of the shard. */
  postings: ({ from: number; to: number } | null)[];
  rarity: number;
}

/** Passages by their words. @param shards those that are left out are undefined, so that places stay */
export async function searchKeywords(
  shards: readonly (Shard | undefined)[],
  query: readonly QueryTerm[],
  limit: number,
  breathe: Breathe,
): Promise<Hit[]> {
  let documents = 0;
  let wordCount = 0;
  for (const shard of shards) {
    documents += shard?.lengths.length ?? 0;
    wordCount += shard?.wordCount ?? 0;
  }
  const meanLength = documents > 0 ? wordCount / documents : 0;
  const found: FoundTerm[] = [];
  for (const { number, weight } of query.flatMap(({ terms }) => terms)) {
    const postings = shards.map((shard) => (shard ? findPostings(shard, number) : null));
    const having = postings.reduce((sum, span) => sum + (span ? span.to - span.from : 0), 0);
    if (having > 0) found.push({ weight, postings, rarity: toRarity(documents, having) });
    await breathe();
  }
  const best = createBestHits(limit);
  for (const [place, shard] of shards.entries()) {
    if (shard) scoreShard(shard, place, found, meanLength, best);
    await breathe();
  }
  return best.list();
}

function scoreShard(shard: Shard, place: number, found: FoundTerm[], meanLength: number, best: BestHits): void {
  const scores = new Map<number, number>();
  for (const { weight, postings, rarity } of found) {
    const span = postings[place];
    if (!span) continue;
    for (let at = span.from; at < span.to; at++) {
      const row = shard.rows[at] as number;
      const score = toTermScore(rarity, shard.counts[at] as number, shard.lengths[row] as number, meanLength);
      scores.set(row, (scores.get(row) ?? 0) + weight * score);
    }
  }
  for (const [row, score] of scores) best.offer(place, row, score);
}

/** So many rows take about a millisecond. */
const rowsAtOnce = 2_048;

/**
 * Passages by their meaning: every one of them is looked at.
 * @param query one row
 * @param floor cosines up to this one say nothing
 */
export async function searchVectors(
  shards: readonly (Shard | undefined)[],
  query: QuantisedVectors,
  { limit, floor }: { limit: number; floor: number },
  breathe: Breathe,
): Promise<Hit[]> {
  const best = createBestHits(limit, floor);
  let scores = new Float32Array(rowsAtOnce);
  for (const [place, shard] of shards.entries()) {
    const vectors = shard?.vectors;
    if (!vectors || vectors.dimensions !== query.dimensions) continue;
    const count = vectors.scales.length;
    if (count > scores.length) scores = new Float32Array(count);
    for (let from = 0; from < count; from += rowsAtOnce) {
      const to = Math.min(count, from + rowsAtOnce);
      cosines(vectors, query, scores, { from, to });
      for (let row = from; row < to; row++) best.offer(place, row, scores[row] as number);
      await breathe();
    }
  }
  return best.list();
}
