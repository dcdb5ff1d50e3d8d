import type { Embeddings } from './embeddings.ts';
import { rowCount } from './embeddings.ts';
import { createRandom } from './reduction.ts';

export interface Clustering {
  /** Cluster of each row, 0 to clusterCount - 1. */
  labels: Int32Array;
  clusterCount: number;
  centres: Float64Array;
  /** Sum of squared distances to the centres. */
  inertia: number;
}

function squaredDistance(
  points: Float32Array,
  row: number,
  centres: Float64Array,
  centre: number,
  size: number,
): number {
  let sum = 0;
  for (let d = 0; d < size; d++) {
    const difference = (points[row * size + d] as number) - (centres[centre * size + d] as number);
    sum += difference * difference;
  }
  return sum;
}

const maxRounds = 50;

/** k-means with k-means++ seeding from a fixed seed; the best of `restarts`. Empty clusters are dropped. */
export function kMeans(points: Embeddings, clusterCount: number, restarts = 4): Clustering {
  let best: Clustering | undefined;
  for (let restart = 0; restart < restarts; restart++) {
    const found = kMeansOnce(points, clusterCount, 11 + restart);
    if (best === undefined || found.inertia < best.inertia - 1e-9) best = found;
  }
  return compact(best as Clustering, points.dimensions);
}

function seedCentres(points: Embeddings, clusterCount: number, seed: number): Float64Array {
  const count = rowCount(points);
  const { dimensions, vectors } = points;
  const random = createRandom(seed);
  const centres = new Float64Array(clusterCount * dimensions);
  const distances = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  let chosen = Math.floor(random() * count);
  for (let k = 0; k < clusterCount; k++) {
    centres.set(vectors.subarray(chosen * dimensions, (chosen + 1) * dimensions), k * dimensions);
    let total = 0;
    for (let row = 0; row < count; row++) {
      const distance = Math.min(distances[row] as number, squaredDistance(vectors, row, centres, k, dimensions));
      distances[row] = distance;
      total += distance;
    }
    let left = random() * total;
    chosen = count - 1;
    for (let row = 0; row < count; row++) {
      left -= distances[row] as number;
      if (left <= 0) {
        chosen = row;
        break;
      }
    }
  }
  return centres;
}

function kMeansOnce(points: Embeddings, clusterCount: number, seed: number): Clustering {
  const count = rowCount(points);
  const { dimensions, vectors } = points;
  const centres = seedCentres(points, clusterCount, seed);
  const labels = new Int32Array(count).fill(-1);
  let inertia = 0;
  for (let round = 0; round < maxRounds; round++) {
    let changed = 0;
    inertia = 0;
    for (let row = 0; row < count; row++) {
      let nearest = 0;
      let least = Number.POSITIVE_INFINITY;
      for (let k = 0; k < clusterCount; k++) {
        const distance = squaredDistance(vectors, row, centres, k, dimensions);
        if (distance < least) {
          least = distance;
          nearest = k;
        }
      }
      if (labels[row] !== nearest) changed++;
      labels[row] = nearest;
      inertia += least;
    }
    if (changed === 0) break;
    moveCentres(points, labels, centres, clusterCount);
  }
  return { labels, clusterCount, centres, inertia };
}

function moveCentres(points: Embeddings, labels: Int32Array, centres: Float64Array, clusterCount: number): void {
  const { dimensions, vectors } = points;
  const sizes = new Float64Array(clusterCount);
  const sums = new Float64Array(centres.length);
  for (let row = 0; row < labels.length; row++) {
    const k = labels[row] as number;
    sizes[k] = (sizes[k] as number) + 1;
    for (let d = 0; d < dimensions; d++) {
      sums[k * dimensions + d] = (sums[k * dimensions + d] as number) + (vectors[row * dimensions + d] as number);
    }
  }
  for (let k = 0; k < clusterCount; k++) {
    const size = sizes[k] as number;
    if (size === 0) continue;
    for (let d = 0; d < dimensions; d++) centres[k * dimensions + d] = (sums[k * dimensions + d] as number) / size;
  }
}

function compact(clustering: Clustering, dimensions: number): Clustering {
  const used = [...new Set(clustering.labels)].sort((a, b) => a - b);
  const centres = new Float64Array(used.length * dimensions);
  used.forEach((old, index) => {
    centres.set(clustering.centres.subarray(old * dimensions, (old + 1) * dimensions), index * dimensions);
  });
  const renamed = new Map(used.map((old, index) => [old, index]));
  return {
    labels: clustering.labels.map((label) => renamed.get(label) as number),
    clusterCount: used.length,
    centres,
    inertia: clustering.inertia,
  };
}

/** Mean simplified silhouette (distances to centres instead of members), -1 to 1; 0 for a single cluster. */
export function simplifiedSilhouette(points: Embeddings, clustering: Clustering): number {
  const count = rowCount(points);
  if (clustering.clusterCount < 2 || count === 0) return 0;
  let total = 0;
  for (let row = 0; row < count; row++) {
    let own = 0;
    let other = Number.POSITIVE_INFINITY;
    for (let k = 0; k < clustering.clusterCount; k++) {
      const distance = Math.sqrt(squaredDistance(points.vectors, row, clustering.centres, k, points.dimensions));
      if (k === clustering.labels[row]) own = distance;
      else other = Math.min(other, distance);
    }
    const larger = Math.max(own, other);
    total += larger > 0 ? (other - own) / larger : 0;
  }
  return total / count;
}
