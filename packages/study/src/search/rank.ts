/** A passage of the lectures that are searched: the place of its lecture, and its row in that one's index. */
export interface Hit {
  shard: number;
  row: number;
  score: number;
}

/** The best of many, in the order best first; of equals the one that came first. */
export interface BestHits {
  /** Scores up to this one are not taken any more. */
  readonly least: number;
  offer(shard: number, row: number, score: number): void;
  list(): Hit[];
}

/** @param floor only scores above it are taken */
export function createBestHits(limit: number, floor = 0): BestHits {
  const hits: Hit[] = [];
  let least = floor;
  return {
    get least() {
      return least;
    },
    offer(shard, row, score) {
      if (!(score > least)) return;
      let at = hits.length;
      while (at > 0 && (hits[at - 1] as Hit).score < score) at--;
      hits.splice(at, 0, { shard, row, score });
      if (hits.length > limit) hits.pop();
      if (hits.length === limit) least = (hits[limit - 1] as Hit).score;
    },
    list: () => hits,
  };
}

/** https://dl.acm.org/doi/10.1145/1571941.1572114 (Cormack, Clarke and Büttcher 2009): 60 suits lists of all kinds. */
const rankConstant = 60;

/**
 * Joins ranked lists by reciprocal rank. A score of 1 is the first place in every list.
 * @returns best first; of equals the one that stands higher in an earlier list
 */
export function fuseByRank(lists: readonly (readonly Hit[])[]): Hit[] {
  const fused = new Map<string, Hit>();
  const full = lists.length / (rankConstant + 1);
  for (const list of lists) {
    list.forEach(({ shard, row }, rank) => {
      const share = 1 / (rankConstant + rank + 1) / full;
      const key = `${shard}/${row}`;
      const known = fused.get(key);
      if (known) known.score += share;
      else fused.set(key, { shard, row, score: share });
    });
  }
  return [...fused.values()].sort((a, b) => b.score - a.score);
}
