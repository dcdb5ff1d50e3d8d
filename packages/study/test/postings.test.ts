import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KeywordIndex } from '../src/search/keyword-index.ts';
import { countPassages, eachPosting, findPostings, packPostings } from '../src/search/postings.ts';
import { createCosine, quantise } from '../src/search/quantised-vectors.ts';
import { searchVectors } from '../src/search/search-shards.ts';
import { toShard } from '../src/search/shard.ts';
import { countDifferences, toSignBits } from '../src/search/sign-bits.ts';

type Posting = [row: number, count: number];

function toIndex(lists: readonly (readonly Posting[])[]): KeywordIndex {
  const flat = lists.flat();
  const starts = new Uint32Array(lists.length + 1);
  lists.forEach((list, i) => {
    starts[i + 1] = (starts[i] as number) + list.length;
  });
  return {
    terms: lists.map((_, i) => `t${i}`),
    starts,
    rows: Uint16Array.from(flat, ([row]) => row),
    counts: Uint8Array.from(flat, ([, count]) => count),
    lengths: new Uint16Array(60_000),
  };
}

describe('packPostings', () => {
  const list = fc
    .uniqueArray(fc.integer({ min: 0, max: 59_999 }), { minLength: 1, maxLength: 20 })
    .chain((rows) =>
      fc.tuple(...rows.sort((a, b) => a - b).map((row) => fc.tuple(fc.constant(row), fc.constantFrom(1, 2, 127, 255)))),
    );
  const terms = fc.uniqueArray(fc.nat(5_000_000), { maxLength: 60 });

  test('of any postings, under any numbers: each term has its own again, and no other term is found', () => {
    fc.assert(
      fc.property(terms, fc.infiniteStream(list), fc.nat(5_000_000), (numbers, lists, other) => {
        const own = [...lists.take(numbers.length)] as Posting[][];
        const packed = packPostings(toIndex(own), Uint32Array.from(numbers));
        numbers.forEach((number, i) => {
          const at = findPostings(packed, number);
          const read: Posting[] = [];
          eachPosting(packed, at, (row, count) => read.push([row, count]));
          expect(read).toEqual(own[i]);
          expect(countPassages(packed, at)).toBe(own[i]?.length);
        });
        if (!numbers.includes(other)) expect(findPostings(packed, other)).toBe(-1);
      }),
    );
  });

  test('of a usual lecture: takes less than half of the bytes', () => {
    const lists = Array.from({ length: 1_800 }, (_, i): Posting[] =>
      i % 2
        ? [[i % 120, 1]]
        : [
            [3, 1],
            [(i % 99) + 9, 2],
          ],
    );
    const { firsts, offsets, bytes } = packPostings(
      toIndex(lists),
      Uint32Array.from(lists, (_, i) => i * 7),
    );
    const before = 3 * 4 * lists.length + 3 * lists.flat().length;
    expect(firsts.byteLength + offsets.byteLength + bytes.byteLength).toBeLessThan(before / 2);
  });
});

describe('searchVectors over more passages than are compared in full', () => {
  const dimensions = 96;
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x7fffffff - 0.5;
  };
  const unit = (values: number[]) => {
    const norm = Math.hypot(...values);
    return values.map((value) => value / norm);
  };
  // Themes, and passages around them: as texts lie, not evenly.
  const themes = Array.from({ length: 40 }, () => unit(Array.from({ length: dimensions }, random)));
  const around = (theme: number, share: number) =>
    unit((themes[theme] as number[]).map((value) => value + share * random()));
  const dictionary = { size: 0, add: () => 0, find: () => undefined, startingWith: () => [], near: () => [] };
  const keywords = { terms: [], starts: new Uint32Array(1), rows: new Uint16Array(), counts: new Uint8Array() };
  const shards = Array.from({ length: 12 }, (_, shard) => {
    const rows = Array.from({ length: 900 }, (_, i) => around((i + shard) % 40, 0.5)).flat();
    const vectors = quantise({ dimensions, vectors: Float32Array.from(rows) });
    return toShard({ ...keywords, lengths: new Uint16Array(900) }, vectors, dictionary);
  });

  test('finds the same best ones as comparing all', async () => {
    for (let theme = 0; theme < 10; theme++) {
      const query = quantise({ dimensions, vectors: Float32Array.from(around(theme, 0.6)) });
      const cosineOf = createCosine(query);
      const all = shards.flatMap(({ vectors }, shard) =>
        Array.from({ length: 900 }, (_, row) => ({ shard, row, score: vectors ? cosineOf(vectors, row) : 0 })),
      );
      const best = all.sort((a, b) => b.score - a.score).slice(0, 20);
      const hits = await searchVectors(shards, query, { limit: 20, floor: 0 }, () => undefined);
      expect(hits.map(({ score }) => score)).toEqual(best.map(({ score }) => score));
    }
  });

  test('the signs of a vector differ from its own in none, from its opposite in all', () => {
    const own = quantise({ dimensions, vectors: Float32Array.from(themes[0] as number[]) });
    const opposite = { ...own, values: own.values.map((value) => (value === 0 ? 0 : -value)) };
    const found = new Uint16Array(2);
    countDifferences(toSignBits(own), toSignBits(own), found, 0);
    countDifferences(toSignBits(opposite), toSignBits(own), found, 1);
    const zeros = own.values.filter((value) => value === 0).length;
    expect([...found]).toEqual([0, dimensions - zeros]);
  });
});
