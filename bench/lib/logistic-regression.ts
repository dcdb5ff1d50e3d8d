/** Solves a small system of equations in place (Gauss, with the largest pivot). */
function solve(matrix: number[][], right: number[]): number[] {
  const size = right.length;
  const rows = matrix.map((row, i) => [...row, right[i] as number]);
  for (let i = 0; i < size; i++) {
    const best = rows
      .slice(i)
      .reduce((at, row, j) => (Math.abs(row[i] as number) > Math.abs(rows[at]?.[i] as number) ? i + j : at), i);
    [rows[i], rows[best]] = [rows[best] as number[], rows[i] as number[]];
    const pivot = rows[i] as number[];
    for (let j = 0; j < size; j++) {
      if (j === i) continue;
      const row = rows[j] as number[];
      const factor = (row[i] as number) / (pivot[i] as number);
      for (let k = i; k <= size; k++) row[k] = (row[k] as number) - factor * (pivot[k] as number);
    }
  }
  return rows.map((row, i) => (row[size] as number) / (row[i] as number));
}

export interface Example {
  signals: readonly number[];
  outcome: boolean;
}

/**
 * Logistic regression by Newton's method with a ridge of 1 on the weights.
 * @returns the constant, then a weight for each signal
 */
export function fitLogistic(examples: readonly Example[]): number[] {
  const size = 1 + (examples[0]?.signals.length ?? 0);
  let weights = Array<number>(size).fill(0);
  for (let round = 0; round < 30; round++) {
    const gradient = weights.map((weight, i) => (i === 0 ? 0 : -weight));
    const curvature = weights.map((_, i) => weights.map((__, j) => (i === j ? (i === 0 ? 1e-9 : 1) : 0)));
    for (const { signals, outcome } of examples) {
      const x = [1, ...signals];
      const sum = x.reduce((total, value, i) => total + value * (weights[i] as number), 0);
      const p = 1 / (1 + Math.exp(-sum));
      const error = (outcome ? 1 : 0) - p;
      const share = p * (1 - p);
      for (let i = 0; i < size; i++) {
        const xi = x[i] as number;
        gradient[i] = (gradient[i] as number) + error * xi;
        const row = curvature[i] as number[];
        for (let j = 0; j < size; j++) row[j] = (row[j] as number) + share * xi * (x[j] as number);
      }
    }
    const step = solve(curvature, gradient);
    weights = weights.map((weight, i) => weight + (step[i] as number));
    if (Math.max(...step.map(Math.abs)) < 1e-9) break;
  }
  return weights;
}
