import { toLengthNorm, toRarity, toTermScore } from './bm25.ts';
import { countPassages, eachPosting, findPostings } from './postings.ts';
import { createCosine, type QuantisedVectors } from './quantised-vectors.ts';
import type { QueryTerm } from './query-terms.ts';
import { type BestHits, createBestHits, type Hit } from './rank.ts';
import type { Shard } from './shard.ts';
import { countDifferences, toSignBits } from './sign-bits.ts';

/** Called often; lets others have the thread from time to time. */
export type Breathe = () => Promise<void> | undefined;

/** A term of a query in what is searched. */
export interface LocatedTerm {
  term: string;
  weight: number;
  /** In how many passages it stands. */
  having: number;
  /** Where its postings begin, by place of the shard; -1: nowhere. */
  places: Int32Array;
}

/** A query in what is searched: word by word the terms that stand for it. */
export interface LocatedQuery {
  words: { terms: LocatedTerm[] }[];
  /** How many passages are searched, and their words in the mean. */
  passages: number;
  meanLength: number;
}

/** @param shards those that are left out are undefined, so that places stay */
export async function locateQuery(
  shards: readonly (Shard | undefined)[],
  query: readonly QueryTerm[],
  breathe: Breathe,
): Promise<LocatedQuery> {
  let passages = 0;
  let wordCount = 0;
  for (const shard of shards) {
    passages += shard?.lengths.length ?? 0;
    wordCount += shard?.wordCount ?? 0;
  }
  const words: LocatedQuery['words'] = [];
  for (const { terms } of query) {
    const located: LocatedTerm[] = [];
    for (const { term, number, weight } of terms) {
      const places = new Int32Array(shards.length).fill(-1);
      let having = 0;
      for (let place = 0; place < shards.length; place++) {
        const postings = shards[place]?.postings;
        const at = postings ? findPostings(postings, number) : -1;
        if (!postings || at < 0) continue;
        places[place] = at;
        having += countPassages(postings, at);
      }
      located.push({ term, weight, having, places });
      await breathe();
    }
    words.push({ terms: located });
  }
  return { words, passages, meanLength: passages > 0 ? wordCount / passages : 0 };
}

/** Passages by their words. @param shards those of `locateQuery` */
export async function searchKeywords(
  shards: readonly (Shard | undefined)[],
  { words, passages, meanLength }: LocatedQuery,
  limit: number,
  breathe: Breathe,
): Promise<Hit[]> {
  const terms = words.flatMap((word) => word.terms).filter(({ having }) => having > 0);
  const rated = terms.map((term) => ({ ...term, rarity: toRarity(passages, term.having) }));
  const best = createBestHits(limit);
  const scores = new Float64Array(shards.reduce((most, shard) => Math.max(most, shard?.lengths.length ?? 0), 0));
  for (const [place, shard] of shards.entries()) {
    if (shard) scoreShard(shard, place, { terms: rated, meanLength, scores, best });
    await breathe();
  }
  return best.list();
}

type RatedTerm = LocatedTerm & { rarity: number };

/** @param search.scores all 0, and so again afterwards */
function scoreShard(
  { postings, lengths }: Shard,
  place: number,
  search: { terms: readonly RatedTerm[]; meanLength: number; scores: Float64Array; best: BestHits },
): void {
  const { terms, meanLength, scores, best } = search;
  const touched: number[] = [];
  for (const { weight, rarity, places } of terms) {
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
    for (let i = 0; i < count; i++) having[differences[i] as number] = (having[differences[i] as number] as number) + 1;
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
