import { toLengthNorm, toRarity, toTermScore } from './bm25.ts';
import { countPassages, eachPosting, findPostings } from './postings.ts';
import { createCosine, type QuantisedVectors } from './quantised-vectors.ts';
import type { QueryTerm } from './query-terms.ts';
import { type BestHits, createBestHits, type Hit } from './rank.ts';
import type { Shard } from './shard.ts';
import { countDifferences, toSignBits } from './sign-bits.ts';

/** Called often; lets others have the thread from time to time. */
export type Breathe = () => Promise<void> | undefined;

interface FoundTerm {
  weight: number;
  rarity: number;
  /** Where its postings begin, by place of the shard; -1: nowhere. */
  places: Int32Array;
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
  let mostRows = 0;
  for (const shard of shards) {
    if (!shard) continue;
    documents += shard.lengths.length;
    wordCount += shard.wordCount;
    mostRows = Math.max(mostRows, shard.lengths.length);
  }
  const found: FoundTerm[] = [];
  for (const { number, weight } of query.flatMap(({ terms }) => terms)) {
    const places = new Int32Array(shards.length).fill(-1);
    let having = 0;
    for (const [place, shard] of shards.entries()) {
      const at = shard ? findPostings(shard.postings, number) : -1;
      places[place] = at;
      if (shard && at >= 0) having += countPassages(shard.postings, at);
    }
    if (having > 0) found.push({ weight, rarity: toRarity(documents, having), places });
    await breathe();
  }
  const best = createBestHits(limit);
  const meanLength = documents > 0 ? wordCount / documents : 0;
  const scores = new Float64Array(mostRows);
  for (const [place, shard] of shards.entries()) {
    if (shard) scoreShard(shard, place, { found, meanLength, scores, best });
    await breathe();
  }
  return best.list();
}

/** @param search.scores all 0, and so again afterwards */
function scoreShard(
  { postings, lengths }: Shard,
  place: number,
  search: { found: readonly FoundTerm[]; meanLength: number; scores: Float64Array; best: BestHits },
): void {
  const { found, meanLength, scores, best } = search;
  const touched: number[] = [];
  for (const { weight, rarity, places } of found) {
    const at = places[place] as number;
    if (at < 0) continue;
    eachPosting(postings, at, (row, count) => {
      const before = scores[row] as number;
      if (before === 0) touched.push(row);
      scores[row] = before + weight * toTermScore(rarity, count, toLengthNorm(lengths[row] as number, meanLength));
    });
  }
  for (const row of touched) {
    best.offer(place, row, scores[row] as number);
    scores[row] = 0;
  }
}

/** With so few rows or fewer each is compared in full. */
const comparedInFull = 4_096;

/**
 * Passages by their meaning. Of very many, those are compared in full whose signs differ least from the query's: at least
 * `comparedInFull`.
 * @param query one row
 * @param floor cosines up to this one say nothing
 */
export async function searchVectors(
  shards: readonly (Shard | undefined)[],
  query: QuantisedVectors,
  { limit, floor }: { limit: number; floor: number },
  breathe: Breathe,
): Promise<Hit[]> {
  const fits = (shard: Shard | undefined): shard is Shard & { vectors: QuantisedVectors; signs: Uint32Array } =>
    shard?.vectors?.dimensions === query.dimensions;
  const count = shards.reduce((sum, shard) => sum + (fits(shard) ? shard.vectors.scales.length : 0), 0);
  const cosine = createCosine(query);
  const best = createBestHits(limit, floor);
  const own = toSignBits(query);
  const differences = new Uint16Array(count > comparedInFull ? count : 0);
  let most = query.dimensions;
  if (count > comparedInFull) {
    const having = new Uint32Array(query.dimensions + 1);
    let from = 0;
    for (const shard of shards) {
      if (!fits(shard)) continue;
      countDifferences(shard.signs, own, differences, from);
      from += shard.vectors.scales.length;
      await breathe();
    }
    for (const difference of differences) having[difference] = (having[difference] as number) + 1;
    let taken = 0;
    for (most = 0; most < query.dimensions; most++) {
      taken += having[most] as number;
      if (taken >= comparedInFull) break;
    }
  }
  let at = 0;
  for (const [place, shard] of shards.entries()) {
    if (!fits(shard)) continue;
    const rows = shard.vectors.scales.length;
    for (let row = 0; row < rows; row++, at++) {
      if (count <= comparedInFull || (differences[at] as number) <= most) {
        best.offer(place, row, cosine(shard.vectors, row));
      }
    }
    await breathe();
  }
  return best.list();
}
