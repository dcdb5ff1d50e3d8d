/** Token sequences put together by what they begin with alike. */
export interface TokenTrieNode {
  /** At least one token, but none at the root. Runs of tokens without a branch are one node. */
  readonly tokens: readonly number[];
  /** Places of the sequences that end behind these tokens. */
  readonly ends: readonly number[];
  readonly children: readonly TokenTrieNode[];
}

/** @param sequences in any order; equal ones end at the same node, and empty ones at the root */
export function createTokenTrie(sequences: readonly (readonly number[])[]): TokenTrieNode {
  return toNode(
    [],
    sequences.map((tokens, index) => ({ tokens, index })),
    0,
  );
}

/** How many tokens are fed when what is shared is fed once. */
export function countTrieTokens(node: TokenTrieNode): number {
  return node.children.reduce((sum, child) => sum + countTrieTokens(child), node.tokens.length);
}

interface Sequence {
  tokens: readonly number[];
  index: number;
}

/** @param from all sequences are alike before this place */
function toNode(tokens: readonly number[], sequences: readonly Sequence[], from: number): TokenTrieNode {
  const branches = new Map<number, Sequence[]>();
  const ends: number[] = [];
  for (const sequence of sequences) {
    const next = sequence.tokens[from];
    if (next === undefined) {
      ends.push(sequence.index);
      continue;
    }
    const branch = branches.get(next);
    if (branch) branch.push(sequence);
    else branches.set(next, [sequence]);
  }
  const children = [...branches.values()].map((branch) => {
    const length = sharedLength(branch, from);
    return toNode((branch[0] as Sequence).tokens.slice(from, length), branch, length);
  });
  return { tokens, ends, children };
}

/** How far the sequences, alike before `from`, are alike. */
function sharedLength(sequences: readonly Sequence[], from: number): number {
  const [first] = sequences as [Sequence];
  let length = from;
  while (length < first.tokens.length && sequences.every(({ tokens }) => tokens[length] === first.tokens[length])) {
    length++;
  }
  return length;
}
