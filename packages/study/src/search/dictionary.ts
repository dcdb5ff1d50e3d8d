import SearchableMap from 'minisearch/SearchableMap';

/** All terms of the lectures that are searched together, each with a number. */
export interface Dictionary {
  readonly size: number;
  /** The number of a term, a new one for a new term. */
  add(term: string): number;
  find(term: string): number | undefined;
  /** Terms that begin so, the shortest first. */
  startingWith(prefix: string, limit: number): FoundTerm[];
  /** Terms that differ in at most so many letters, the nearest first. */
  near(term: string, distance: number, limit: number): FoundTerm[];
}

export interface FoundTerm {
  term: string;
  number: number;
  /** Letters that were added, left out or changed. */
  distance: number;
}

/** A radix tree, so that beginnings and near misses are found without looking at every term. */
export function createDictionary(): Dictionary {
  const tree = new SearchableMap<number>();
  /** Most terms that are added are there already, and this finds them ten times as quickly as the tree. */
  const numbers = new Map<string, number>();
  return {
    get size() {
      return numbers.size;
    },
    add(term) {
      const known = numbers.get(term);
      if (known !== undefined) return known;
      const number = numbers.size;
      numbers.set(term, number);
      tree.set(term, number);
      return number;
    },
    find: (term) => numbers.get(term),
    startingWith(prefix, limit) {
      const found: FoundTerm[] = [];
      for (const [term, number] of tree.atPrefix(prefix))
        found.push({ term, number, distance: term.length - prefix.length });
      return nearest(found, limit);
    },
    near(term, distance, limit) {
      const found = [...tree.fuzzyGet(term, distance)].map(([near, [number, apart]]) => ({
        term: near,
        number,
        distance: apart,
      }));
      return nearest(found, limit);
    },
  };
}

function nearest(found: FoundTerm[], limit: number): FoundTerm[] {
  return found.sort((a, b) => a.distance - b.distance || (a.term < b.term ? -1 : 1)).slice(0, limit);
}
