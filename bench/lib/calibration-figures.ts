import { round } from './statistics.ts';

/** A probability that was given, and whether what it was given to proved true. */
export interface Forecast {
  probability: number;
  outcome: boolean;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean distance between the probability given and the share that proved true, weighed by the size of the bins. */
function calibrationError(bins: readonly (readonly Forecast[])[], count: number): number {
  return bins
    .filter((bin) => bin.length > 0)
    .reduce((sum, bin) => {
      const given = mean(bin.map(({ probability }) => probability));
      const true_ = mean(bin.map(({ outcome }) => (outcome ? 1 : 0)));
      return sum + (bin.length / count) * Math.abs(given - true_);
    }, 0);
}

function equalWidth(forecasts: readonly Forecast[], count: number): Forecast[][] {
  const bins: Forecast[][] = Array.from({ length: count }, () => []);
  for (const forecast of forecasts) bins[Math.min(count - 1, Math.floor(forecast.probability * count))]?.push(forecast);
  return bins;
}

function equalMass(forecasts: readonly Forecast[], count: number): Forecast[][] {
  const sorted = [...forecasts].sort((a, b) => a.probability - b.probability);
  return Array.from({ length: count }, (_, i) =>
    sorted.slice(Math.round((i * sorted.length) / count), Math.round(((i + 1) * sorted.length) / count)),
  );
}

/** The share of pairs of a true and a false one in which the true one has the higher probability. */
function areaUnderCurve(forecasts: readonly Forecast[]): number {
  const sorted = [...forecasts].sort((a, b) => a.probability - b.probability);
  let rankSum = 0;
  for (let i = 0; i < sorted.length; ) {
    let end = i;
    while (end < sorted.length && sorted[end]?.probability === sorted[i]?.probability) end++;
    // Equals share the middle of their ranks.
    for (const { outcome } of sorted.slice(i, end)) if (outcome) rankSum += (i + 1 + end) / 2;
    i = end;
  }
  const right = forecasts.filter(({ outcome }) => outcome).length;
  return (rankSum - (right * (right + 1)) / 2) / (right * (forecasts.length - right));
}

/** How far probabilities can be trusted: expected calibration errors, Brier's score, and how well they tell apart. */
export function toCalibrationFigures(forecasts: readonly Forecast[]) {
  const squares = forecasts.map(({ probability, outcome }) => (probability - (outcome ? 1 : 0)) ** 2);
  return {
    ece10: round(calibrationError(equalWidth(forecasts, 10), forecasts.length)),
    ece15: round(calibrationError(equalWidth(forecasts, 15), forecasts.length)),
    eceEqualMass: round(calibrationError(equalMass(forecasts, 10), forecasts.length)),
    brier: round(mean(squares)),
    auc: round(areaUnderCurve(forecasts)),
  };
}
