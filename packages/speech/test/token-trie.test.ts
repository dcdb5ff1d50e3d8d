import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countTrieTokens, createTokenTrie, type TokenTrieNode } from '../src/token-trie.ts';

test('sequences that begin alike: share a node, and one may end inside another', () => {
  expect(createTokenTrie([[1, 2, 3], [1, 2], [1, 2, 4, 5], [7]])).toEqual({
    tokens: [],
    ends: [],
    children: [
      {
        tokens: [1, 2],
        ends: [1],
        children: [
          { tokens: [3], ends: [0], children: [] },
          { tokens: [4, 5], ends: [2], children: [] },
        ],
      },
      { tokens: [7], ends: [3], children: [] },
    ],
  });
});

test('equal and empty sequences: end at the same node, at the root', () => {
  expect(createTokenTrie([[], [1], [1], []])).toEqual({
    tokens: [],
    ends: [0, 3],
    children: [{ tokens: [1], ends: [1, 2], children: [] }],
  });
});

test('any sequences: every one is found again, and each shared beginning is there once', () => {
  const sequences = fc.array(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 6 }), { maxLength: 12 });
  fc.assert(
    fc.property(sequences, (given) => {
      const found: number[][] = [];
      const collect = (node: TokenTrieNode, before: readonly number[]): void => {
        const tokens = [...before, ...node.tokens];
        for (const end of node.ends) found[end] = tokens;
        for (const child of node.children) collect(child, tokens);
      };
      const root = createTokenTrie(given);
      collect(root, []);
      expect(found).toEqual(given);
      const beginnings = given.flatMap((tokens) => tokens.map((_, i) => tokens.slice(0, i + 1).join()));
      expect(countTrieTokens(root)).toBe(new Set(beginnings).size);
    }),
  );
});
