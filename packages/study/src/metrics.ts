/** Measures of segmentation, clustering and topics. Boundaries are the first indexes of segments, 0 first. */

/** Half the mean length of the reference's segments, at least 2: the distance at which Pk compares. */
export function windowFor(sentenceCount: number, segmentCount: number): number {
  return Math.max(2, Math.round(sentenceCount / (2 * Math.max(1, segmentCount))));
}

function segmentIds(sentenceCount: number, boundaries: readonly number[]): Int32Array {
  const ids = new Int32Array(sentenceCount);
  const starts = new Set(boundaries);
  let id = 0;
  for (let index = 0; index < sentenceCount; index++) {
    if (index > 0 && starts.has(index)) id++;
    ids[index] = id;
  }
  return ids;
}

interface Segmentation {
  sentenceCount: number;
  reference: readonly number[];
  hypothesis: readonly number[];
}

function compareWindows(input: Segmentation, differs: (reference: number, hypothesis: number) => boolean): number {
  const { sentenceCount, reference, hypothesis } = input;
  const width = windowFor(sentenceCount, reference.length);
  const a = segmentIds(sentenceCount, reference);
  const b = segmentIds(sentenceCount, hypothesis);
  let wrong = 0;
  let count = 0;
  for (let index = 0; index + width < sentenceCount; index++) {
    const inReference = (a[index + width] as number) - (a[index] as number);
    const inHypothesis = (b[index + width] as number) - (b[index] as number);
    if (differs(inReference, inHypothesis)) wrong++;
    count++;
  }
  return count === 0 ? 0 : wrong / count;
}

/** Beeferman's Pk: how often two sentences half a segment apart are wrongly joined or parted; lower is better. */
export function pk(input: Segmentation): number {
  return compareWindows(input, (a, b) => (a === 0) !== (b === 0));
}

/** WindowDiff (Pevzner and Hearst): how often the number of boundaries within the distance differs. */
export function windowDiff(input: Segmentation): number {
  return compareWindows(input, (a, b) => a !== b);
}

/** F1 of boundaries (without the first) that match one to one within `tolerance` (sentences, or seconds for times). */
export function boundaryF1(input: {
  reference: readonly number[];
  hypothesis: readonly number[];
  tolerance: number;
}): number {
  const reference = input.reference.filter((boundary) => boundary > 0);
  const hypothesis = input.hypothesis.filter((boundary) => boundary > 0);
  if (reference.length + hypothesis.length === 0) return 1;
  const pairs = reference
    .flatMap((r, a) => hypothesis.map((h, b) => ({ a, b, distance: Math.abs(r - h) })))
    .filter((pair) => pair.distance <= input.tolerance)
    .sort((x, y) => x.distance - y.distance);
  const usedA = new Set<number>();
  const usedB = new Set<number>();
  for (const { a, b } of pairs) {
    if (usedA.has(a) || usedB.has(b)) continue;
    usedA.add(a);
    usedB.add(b);
  }
  return (2 * usedA.size) / (reference.length + hypothesis.length);
}

/** Hubert and Arabie's adjusted Rand index of two labellings; null counts as one more label of its own. */
export function adjustedRandIndex(a: readonly (number | null)[], b: readonly (number | null)[]): number {
  const pairs = (count: number): number => (count * (count - 1)) / 2;
  const cells = new Map<string, number>();
  const rows = new Map<number | null, number>();
  const columns = new Map<number | null, number>();
  for (let index = 0; index < a.length; index++) {
    const row = a[index] ?? null;
    const column = b[index] ?? null;
    const key = `${row}|${column}`;
    cells.set(key, (cells.get(key) ?? 0) + 1);
    rows.set(row, (rows.get(row) ?? 0) + 1);
    columns.set(column, (columns.get(column) ?? 0) + 1);
  }
  const sum = (counts: Iterable<number>): number => [...counts].reduce((total, count) => total + pairs(count), 0);
  const both = sum(cells.values());
  const inRows = sum(rows.values());
  const inColumns = sum(columns.values());
  const expected = (inRows * inColumns) / Math.max(1, pairs(a.length));
  const highest = (inRows + inColumns) / 2;
  return highest === expected ? 1 : (both - expected) / (highest - expected);
}

/**
 * Mean normalised pointwise mutual information of the word pairs of each topic (gensim's c_npmi): counts are of
 * sliding windows of `windowWords` over the reference texts; texts shorter than that are one window.
 */
export function npmi(input: {
  topics: readonly (readonly string[])[];
  texts: readonly (readonly string[])[];
  windowWords?: number;
}): number {
  const width = input.windowWords ?? 10;
  const ids = new Map<string, number>();
  for (const word of input.topics.flat()) if (!ids.has(word)) ids.set(word, ids.size);
  const size = ids.size;
  const single = new Float64Array(size);
  const together = new Float64Array(size * size);
  let windows = 0;
  for (const text of input.texts) {
    const codes = text.map((word) => ids.get(word) ?? -1);
    const inWindow = new Map<number, number>();
    const last = Math.max(0, codes.length - width);
    for (let index = 0; index < Math.min(width, codes.length); index++) addTo(inWindow, codes[index] as number, 1);
    for (let start = 0; start <= last; start++) {
      if (start > 0) {
        addTo(inWindow, codes[start - 1] as number, -1);
        addTo(inWindow, codes[start + width - 1] as number, 1);
      }
      windows++;
      const present = [...inWindow.keys()];
      for (const x of present) {
        single[x] = (single[x] as number) + 1;
        for (const y of present) together[x * size + y] = (together[x * size + y] as number) + 1;
      }
    }
  }
  const scores = input.topics.map((topic) => topicNpmi(topic.map((word) => ids.get(word) as number)));
  return scores.reduce((sum, score) => sum + score, 0) / Math.max(1, scores.length);

  function topicNpmi(words: number[]): number {
    let sum = 0;
    let count = 0;
    for (let i = 0; i < words.length; i++) {
      for (let j = 0; j < i; j++) {
        const x = words[i] as number;
        const y = words[j] as number;
        // gensim's epsilon keeps pairs that never meet near -1 instead of undefined.
        const both = (together[x * size + y] as number) / windows + 1e-12;
        const px = (single[x] as number) / windows;
        const py = (single[y] as number) / windows;
        if (px > 0 && py > 0) sum += Math.log(both / (px * py)) / -Math.log(both);
        count++;
      }
    }
    return count === 0 ? 0 : sum / count;
  }
}

function addTo(counts: Map<number, number>, key: number, change: number): void {
  if (key < 0) return;
  const next = (counts.get(key) ?? 0) + change;
  if (next > 0) counts.set(key, next);
  else counts.delete(key);
}

/** Unique words over all words of the topics' first ten. */
export function diversity(topics: readonly (readonly string[])[]): number {
  const words = topics.flatMap((topic) => topic.slice(0, 10));
  return words.length === 0 ? 0 : new Set(words).size / words.length;
}
