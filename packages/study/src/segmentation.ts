import type { Embeddings } from './embeddings.ts';
import { rowAt, rowCount } from './embeddings.ts';
import { windowFor } from './metrics.ts';

/**
 * Text segmentation over units (sentences or short runs of them). Every possible segment gets a gain; segmentations
 * are then weighed together (posterior) instead of trusting the one best path, and the boundaries of least expected
 * Pk are returned. The lexical gain is that of Utiyama and Isahara (2001) with a Dirichlet prior that follows the
 * document's own word distribution; the embedding gain rewards segments whose centred vectors agree.
 */

/** Weight of the document's word distribution as a prior, in words. */
const priorWords = 3000;
/** Without embeddings the words alone decide, and in short texts the prior must leave them a say. */
const priorShareAlone = 1;
const embeddingWeight = 20;
/**
 * Keeps short segments from scoring by chance: the agreement is divided by length plus this. In a short text the
 * segments are short too, so there it is a share of the sentences (Choi 3-5, tuning part: Pk .143 → .048).
 */
const embeddingDamping = 30;
const embeddingDampingShare = 0.2;
/** Below 40 sentences nothing was tuned: the shares stop falling there. */
const fewSentences = 40;
/** Sentences that a chapter has at least on average: a vector alone always looks unlike its neighbours. */
const leastMeanSentences = 3.5;
/** A sentence with this many content words counts in full for the embedding gain. */
const fullWeightWords = 8;
/** Automatic count: what one more segment must gain, as a share of the number of sentences. */
const penaltyShare = 0.02;
const impossible = -1e9;

export interface GainInput {
  /** For each unit the numbers (0 …) of its content terms. */
  terms: readonly (readonly number[])[];
  vocabularySize: number;
  embeddings?: Embeddings | undefined;
  /** Added to the gain of a segment that starts at the unit: cue words, pauses. */
  bonuses: ArrayLike<number>;
  /** False for a segment that must not be, for example a too short one. `end` is exclusive. */
  allowed?: ((start: number, end: number) => boolean) | undefined;
}

/** Gains of all segments [start, end) of `count` units, `values[end * (end - 1) / 2 + start]`. */
export interface Gains {
  count: number;
  values: Float32Array;
}

/** Time and memory grow with the square of the units: callers keep them at 2,000 or fewer. */
export function computeGains(input: GainInput): Gains {
  const count = input.terms.length;
  const values = new Float32Array((count * (count + 1)) / 2);
  const withVectors = input.embeddings !== undefined && rowCount(input.embeddings) === count;
  addLexical(values, input, withVectors);
  if (input.embeddings !== undefined && withVectors) {
    addEmbedding(values, input.embeddings, input.terms);
  }
  for (let end = 1; end <= count; end++) {
    const row = (end * (end - 1)) / 2;
    for (let start = 0; start < end; start++) {
      values[row + start] = (values[row + start] as number) + (start > 0 ? (input.bonuses[start] ?? 0) : 0);
      if (input.allowed !== undefined && !input.allowed(start, end)) values[row + start] = impossible;
    }
  }
  return { count, values };
}

function addLexical(values: Float32Array, { terms, vocabularySize }: GainInput, withVectors: boolean): void {
  const frequency = new Float64Array(vocabularySize);
  let total = 0;
  for (const unit of terms) {
    for (const term of unit) frequency[term] = (frequency[term] as number) + 1;
    total += unit.length;
  }
  if (total === 0) return;
  const prior = withVectors ? priorWords : Math.min(priorWords, priorShareAlone * total);
  // log((alpha + c) / (prior · p)) = log1p(c / alpha) per occurrence; the length part is shared by all terms.
  const lengthLog = new Float64Array(total + 1);
  for (let n = 1; n <= total; n++) lengthLog[n] = (lengthLog[n - 1] as number) + Math.log1p((n - 1) / prior);
  const alpha = frequency.map((f) => (prior * f) / total);
  const counts = new Float64Array(vocabularySize);
  for (let start = 0; start < terms.length; start++) {
    counts.fill(0);
    let gain = 0;
    let length = 0;
    for (let end = start + 1; end <= terms.length; end++) {
      for (const term of terms[end - 1] as readonly number[]) {
        const seen = counts[term] as number;
        if (seen > 0) gain += Math.log1p(seen / (alpha[term] as number));
        counts[term] = seen + 1;
        length++;
      }
      values[(end * (end - 1)) / 2 + start] = gain - (lengthLog[length] as number);
    }
  }
}

function addEmbedding(values: Float32Array, embeddings: Embeddings, terms: GainInput['terms']): void {
  const { dimensions } = embeddings;
  const count = terms.length;
  const mean = new Float64Array(dimensions);
  for (let index = 0; index < count; index++) {
    const row = rowAt(embeddings, index);
    for (let d = 0; d < dimensions; d++) mean[d] = (mean[d] as number) + (row[d] as number) / count;
  }
  const centred = new Float32Array(count * dimensions);
  for (let index = 0; index < count; index++) {
    const weight = Math.min(1, (terms[index] as readonly number[]).length / fullWeightWords);
    const row = rowAt(embeddings, index);
    for (let d = 0; d < dimensions; d++) {
      centred[index * dimensions + d] = weight * ((row[d] as number) - (mean[d] as number));
    }
  }
  // ‖Σ over [start, end)‖² grows by 2·Σ dot(t, last) + ‖last‖², summed from the back for each last unit.
  const damping = Math.min(embeddingDamping, embeddingDampingShare * Math.max(fewSentences, count));
  const squared = new Float64Array(count);
  for (let end = 1; end <= count; end++) {
    const last = (end - 1) * dimensions;
    const row = (end * (end - 1)) / 2;
    let own = 0;
    for (let d = 0; d < dimensions; d++) own += (centred[last + d] as number) ** 2;
    let toEarlier = 0;
    for (let start = end - 1; start >= 0; start--) {
      if (start < end - 1) {
        const offset = start * dimensions;
        let product = 0;
        for (let d = 0; d < dimensions; d++) product += (centred[offset + d] as number) * (centred[last + d] as number);
        toEarlier += product;
      }
      const square = (squared[start] as number) + 2 * toEarlier + own;
      squared[start] = square;
      values[row + start] = (values[row + start] as number) + (embeddingWeight * square) / (end - start + damping);
    }
  }
}

/** Best segmentations by the plain sum of gains: `scores[k]` for exactly k segments (`scores[0]` is unused). */
export function bestPaths(gains: Gains, maxSegments: number): { scores: Float64Array } {
  const { count, values } = gains;
  const scores = new Float64Array(maxSegments + 1).fill(Number.NEGATIVE_INFINITY);
  let previous = new Float64Array(count + 1).fill(Number.NEGATIVE_INFINITY);
  previous[0] = 0;
  for (let k = 1; k <= maxSegments; k++) {
    const next = new Float64Array(count + 1).fill(Number.NEGATIVE_INFINITY);
    for (let end = k; end <= count; end++) {
      const row = (end * (end - 1)) / 2;
      let best = Number.NEGATIVE_INFINITY;
      for (let start = k - 1; start < end; start++) {
        const score = (previous[start] as number) + (values[row + start] as number);
        if (score > best) best = score;
      }
      next[end] = best;
    }
    scores[k] = next[count] as number;
    previous = next;
  }
  return { scores };
}

/** The automatic count: that of the best path, and never chapters of only two or three sentences on average. */
export function automaticCount(gains: Gains): number {
  const penalty = penaltyShare * Math.max(fewSentences, gains.count);
  const most = Math.max(1, Math.floor(gains.count / leastMeanSentences));
  return Math.min(most, bestCount(gains, penalty));
}

/** How many segments the single best path has when every segment costs `penalty`. */
export function bestCount(gains: Gains, penalty: number): number {
  const { count, values } = gains;
  const best = new Float64Array(count + 1).fill(Number.NEGATIVE_INFINITY);
  const segments = new Int32Array(count + 1);
  best[0] = 0;
  for (let end = 1; end <= count; end++) {
    const row = (end * (end - 1)) / 2;
    for (let start = 0; start < end; start++) {
      const score = (best[start] as number) + (values[row + start] as number) - penalty;
      if (score > (best[end] as number)) {
        best[end] = score;
        segments[end] = (segments[start] as number) + 1;
      }
    }
  }
  return segments[count] as number;
}

/**
 * The temperature at which paths are weighed. The longer segments are, the more the gains count by the mere number of
 * their sentences: long ones are weighed softly, short ones sharply (tuned on lectures of 40 and of 75 sentences a chapter).
 */
function temperatureFor(sentencesPerSegment: number): number {
  return Math.max(0.3, 0.04 * sentencesPerSegment);
}

/**
 * Backward transition probabilities at a penalty: `table[end * (end - 1) / 2 + start]` is the probability that the
 * segment that ends at `end` starts at `start`. They sum to 1 for every `end`, so nothing over- or underflows.
 */
function transitions(gains: Gains, temperature: number, penalty: number, table: Float32Array): void {
  const { count, values } = gains;
  const potential = new Float64Array(count + 1).fill(Number.NEGATIVE_INFINITY);
  potential[0] = 0;
  for (let end = 1; end <= count; end++) {
    const row = (end * (end - 1)) / 2;
    let highest = Number.NEGATIVE_INFINITY;
    for (let start = 0; start < end; start++) {
      const score = ((potential[start] as number) + (values[row + start] as number) - penalty) / temperature;
      table[row + start] = score;
      if (score > highest) highest = score;
    }
    let sum = 0;
    for (let start = 0; start < end; start++) {
      const weight = Math.exp(
        ((potential[start] as number) + (values[row + start] as number) - penalty) / temperature - highest,
      );
      table[row + start] = weight;
      sum += weight;
    }
    for (let start = 0; start < end; start++) table[row + start] = (table[row + start] as number) / sum;
    potential[end] = temperature * (highest + Math.log(sum));
  }
}

function expectedCount(count: number, table: Float32Array): number {
  const expected = new Float64Array(count + 1);
  for (let end = 1; end <= count; end++) {
    const row = (end * (end - 1)) / 2;
    let sum = 1;
    for (let start = 1; start < end; start++) sum += (table[row + start] as number) * (expected[start] as number);
    expected[end] = sum;
  }
  return expected[count] as number;
}

/** Posterior probability of every segment, given that there are exactly `segmentCount` of them. */
function segmentPosterior(gains: Gains, segmentCount: number, temperature: number): Float32Array {
  const { count } = gains;
  const table = new Float32Array(gains.values.length);
  // A penalty at which about segmentCount segments are expected keeps the exact recursion well conditioned.
  let low = -60 * temperature - 20;
  let high = 60 * temperature + 20;
  for (let round = 0; round < 12; round++) {
    const middle = (low + high) / 2;
    transitions(gains, temperature, middle, table);
    const expected = expectedCount(count, table);
    if (Math.abs(expected - segmentCount) < 0.25) break;
    if (expected > segmentCount) low = middle;
    else high = middle;
  }
  // forward[k][j]: probability that the chain that leads to j has k segments; backward likewise from the end.
  const forward: Float64Array[] = [new Float64Array(count + 1)];
  (forward[0] as Float64Array)[0] = 1;
  for (let k = 1; k < segmentCount; k++) {
    const before = forward[k - 1] as Float64Array;
    const now = new Float64Array(count + 1);
    for (let end = k; end <= count; end++) {
      const row = (end * (end - 1)) / 2;
      let sum = 0;
      for (let start = k - 1; start < end; start++) sum += (before[start] as number) * (table[row + start] as number);
      now[end] = sum;
    }
    forward.push(now);
  }
  const posterior = new Float32Array(table.length);
  let backward = new Float64Array(count + 1);
  backward[count] = 1;
  for (let k = segmentCount; k >= 1; k--) {
    const before = forward[k - 1] as Float64Array;
    const next = new Float64Array(count + 1);
    for (let end = k; end <= count; end++) {
      const weight = backward[end] as number;
      if (weight === 0) continue;
      const row = (end * (end - 1)) / 2;
      for (let start = k - 1; start < end; start++) {
        const chance = weight * (table[row + start] as number);
        next[start] = (next[start] as number) + chance;
        posterior[row + start] = (posterior[row + start] as number) + chance * (before[start] as number);
      }
    }
    backward = next;
  }
  let total = 0;
  for (let start = 0; start < count; start++) total += posterior[(count * (count - 1)) / 2 + start] as number;
  if (total > 0)
    for (let index = 0; index < posterior.length; index++) posterior[index] = (posterior[index] as number) / total;
  return posterior;
}

/**
 * The boundaries of least expected Pk for exactly `segmentCount` segments. `candidates` limits where segments may
 * start (0 is always one), so that a coarser division can nest in a finer one.
 */
export function decodeBoundaries(params: {
  gains: Gains;
  segmentCount: number;
  candidates?: readonly number[];
  /** Finer control than the gains: false for a segment [start, end) that must not be in the answer. */
  allowed?: (start: number, end: number) => boolean;
}): number[] {
  const { gains } = params;
  const { count } = gains;
  const segmentCount = Math.min(params.segmentCount, params.candidates?.length ?? count, count);
  if (segmentCount <= 1) return count === 0 ? [] : [0];
  const posterior = segmentPosterior(gains, segmentCount, temperatureFor(count / segmentCount));
  const width = Math.min(windowFor(count, segmentCount), count - 1);
  const changes = new Float64Array(count + 1);
  const starts = new Float64Array(count + 1);
  for (let end = 1; end <= count; end++) {
    const row = (end * (end - 1)) / 2;
    for (let start = 0; start < end; start++) {
      const chance = posterior[row + start] as number;
      if (chance === 0) continue;
      starts[start] = (starts[start] as number) + chance;
      if (end - start > width) {
        changes[start] = (changes[start] as number) + chance;
        changes[end - width] = (changes[end - width] as number) - chance;
      }
    }
  }
  // cost of calling sentence i and i + width the same segment, less that of calling them different; summed up.
  const sums = new Float64Array(count + 1);
  let same = 0;
  for (let index = 0; index < count; index++) {
    same += changes[index] as number;
    sums[index + 1] = (sums[index] as number) + (index + width < count ? 1 - 2 * same : 0);
  }
  const allowed = params.candidates === undefined ? null : new Set(params.candidates);
  const places = [...Array(count + 1).keys()].filter((at) => at === 0 || at === count || (allowed?.has(at) ?? true));
  return cheapestPath({ places, segmentCount, sums, width, starts, gains, allowed: params.allowed });
}

/** Ties (segments shorter than the window cost nothing) are broken by the chance of the boundary itself. */
const tieWeight = 0.01;

function cheapestPath(params: {
  places: number[];
  segmentCount: number;
  sums: Float64Array;
  width: number;
  starts: Float64Array;
  gains: Gains;
  allowed: ((start: number, end: number) => boolean) | undefined;
}): number[] {
  const { places, segmentCount, sums, width, starts, gains, allowed } = params;
  const size = places.length;
  const back: Int32Array[] = [];
  let previous = new Float64Array(size).fill(Number.POSITIVE_INFINITY);
  previous[0] = 0;
  for (let k = 1; k <= segmentCount; k++) {
    const next = new Float64Array(size).fill(Number.POSITIVE_INFINITY);
    const from = new Int32Array(size).fill(-1);
    for (let b = k; b < size; b++) {
      const end = places[b] as number;
      const row = (end * (end - 1)) / 2;
      for (let a = k - 1; a < b; a++) {
        if (previous[a] === Number.POSITIVE_INFINITY) continue;
        const start = places[a] as number;
        if ((gains.values[row + start] as number) <= impossible / 2 || allowed?.(start, end) === false) continue;
        const inside = end - width > start ? (sums[end - width] as number) - (sums[start] as number) : 0;
        const cost = (previous[a] as number) + inside - tieWeight * (starts[start] as number);
        if (cost < (next[b] as number)) {
          next[b] = cost;
          from[b] = a;
        }
      }
    }
    back.push(from);
    previous = next;
  }
  const boundaries: number[] = [];
  let at = size - 1;
  for (let k = segmentCount - 1; k >= 0; k--) {
    at = (back[k] as Int32Array)[at] as number;
    // No way to make that many allowed segments: fewer are asked for.
    if (at < 0) return segmentCount > 1 ? cheapestPath({ ...params, segmentCount: segmentCount - 1 }) : [0];
    boundaries.push(places[at] as number);
  }
  return boundaries.reverse();
}
