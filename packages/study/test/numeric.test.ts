import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { kMeans, simplifiedSilhouette } from '../src/clustering.ts';
import { type Embeddings, rowAt } from '../src/embeddings.ts';
import { adjustedRandIndex } from '../src/metrics.ts';
import { reduceByPca } from '../src/reduction.ts';
import { rougeL, rougeN } from '../src/rouge.ts';
import { createTerms } from '../src/text-terms.ts';
import { buildVocabulary, classTerms } from '../src/topic-terms.ts';
import { findTopics } from '../src/topics.ts';

/** What scikit-learn, umap-learn, hdbscan and rouge-score answer: bench/study/make-numeric-fixtures.py. */
interface Fixture {
  dimensions: number;
  points: number[][];
  truth: number[];
  pca: { variances: number[]; projected: number[][] };
  kMeans: {
    clusterCount: number;
    inertia: number;
    labels: number[];
    silhouette: number;
    simplifiedSilhouette: number;
  };
  umapHdbscan: { labels: number[]; adjustedRandIndex: number };
  classTerms: { documents: string[]; labels: number[]; weights: Record<string, number>[] };
  rouge: { candidate: string; reference: string; f1: [number, number, number] }[];
}
const fixture = JSON.parse(readFileSync(new URL('./fixtures/numeric.json', import.meta.url), 'utf8')) as Fixture;
const points: Embeddings = { dimensions: fixture.dimensions, vectors: Float32Array.from(fixture.points.flat()) };

describe("scikit-learn's", () => {
  test('PCA: the same variances, and the same projections up to the sign of a direction', () => {
    const { variances, projected } = fixture.pca;
    const own = reduceByPca(points, variances.length);
    // Directions span the same space; within it they are rotated only where variances are equal.
    const count = fixture.points.length;
    const total = (rows: (row: number) => ArrayLike<number>): number => {
      let sum = 0;
      for (let row = 0; row < count; row++) for (const value of Array.from(rows(row))) sum += value * value;
      return sum / (count - 1);
    };
    expect(total((row) => rowAt(own, row))).toBeCloseTo(
      variances.reduce((a, b) => a + b, 0),
      3,
    );
    for (const [a, b] of [
      [0, 1],
      [5, 90],
      [40, 149],
    ] as const) {
      const distance = (x: ArrayLike<number>, y: ArrayLike<number>): number =>
        Math.hypot(...Array.from(x, (value, d) => value - (y[d] as number)));
      const theirs = distance(projected[a] as number[], projected[b] as number[]);
      expect(distance(rowAt(own, a), rowAt(own, b))).toBeCloseTo(theirs, 2);
    }
  });

  test('KMeans, best of fifty starts: the same clusters and the same inertia', () => {
    const own = kMeans(points, fixture.kMeans.clusterCount);
    expect(own.inertia).toBeCloseTo(fixture.kMeans.inertia, 2);
    expect(adjustedRandIndex([...own.labels], fixture.kMeans.labels)).toBe(1);
  });

  test('silhouette, simplified to the distances from centres: the same', () => {
    const own = simplifiedSilhouette(points, kMeans(points, fixture.kMeans.clusterCount));
    expect(own).toBeCloseTo(fixture.kMeans.simplifiedSilhouette, 3);
  });

  test('adjusted_rand_score: the same, with noise as a label of its own', () => {
    const { labels, adjustedRandIndex: theirs } = fixture.umapHdbscan;
    expect(adjustedRandIndex(labels, fixture.truth)).toBeCloseTo(theirs, 5);
  });

  test('counts of classes: the same weights of terms', () => {
    const { documents, labels, weights } = fixture.classTerms;
    const vocabulary = buildVocabulary(documents, createTerms({ language: 'en', texts: documents }));
    const found = classTerms({ vocabulary, labels, classCount: weights.length, termCount: 3 });
    expect(found.map((terms) => terms.length)).toEqual([3, 3, 3]);
    found.forEach((terms, label) => {
      for (const { term, weight } of terms) expect(weight).toBeCloseTo(weights[label]?.[term] as number, 5);
    });
  });
});

test('five groups without a count: found as well as by UMAP and HDBSCAN, and nothing is left out', () => {
  const documents = fixture.points.map((_, row) => `theme${fixture.truth[row]}`);
  const { topics, assignments } = findTopics({ documents, embeddings: points });
  expect(topics).toHaveLength(fixture.kMeans.clusterCount);
  expect(adjustedRandIndex(assignments, fixture.truth)).toBeGreaterThanOrEqual(fixture.umapHdbscan.adjustedRandIndex);
  expect(assignments).not.toContain(null);
});

test('ROUGE-1, -2 and -L: those of rouge-score', () => {
  for (const { candidate, reference, f1 } of fixture.rouge) {
    const own = [rougeN(candidate, reference, 1), rougeN(candidate, reference, 2), rougeL(candidate, reference)];
    own.forEach((score, index) => {
      expect(score.f1).toBeCloseTo(f1[index] as number, 7);
    });
  }
});
