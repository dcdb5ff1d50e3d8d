/**
 * Half the kernel's length in zero crossings, and the Kaiser window's beta: a stop band about 90 dB down. The pass
 * band ends at 92 % of the lower Nyquist frequency (7.36 kHz for 16 kHz; speech models look at less).
 * Source: J. O. Smith, "Digital Audio Resampling", https://ccrma.stanford.edu/~jos/resample/
 */
const zeroCrossings = 24;
const kaiserBeta = 9;
const passBand = 0.92;
/** A table for 44.1 kHz has 160 x 144 numbers; rates that share few factors would need millions. */
const maxTableLength = 2_000_000;
/** About 5 ms of work at 48 kHz, so that nothing else waits for long. */
const outputsPerTurn = 16_000;

/** Whether two rates (Hz) are such that the table of filters stays small. */
export function canResample(fromRate: number, toRate: number): boolean {
  const { up, taps } = toPlan(fromRate, toRate);
  return up * taps <= maxTableLength;
}

/**
 * Samples of one rate as samples of another: linear phase, by a windowed sinc in polyphase form. Lets other work
 * run about every 5 ms. Ask `canResample` first.
 */
export async function resample(samples: Int16Array, fromRate: number, toRate: number): Promise<Int16Array> {
  if (fromRate === toRate) return samples;
  const { up, down, taps } = toPlan(fromRate, toRate);
  const filters = toFilters(up, taps, Math.min(1, toRate / fromRate) * passBand);
  const output = new Int16Array(Math.round((samples.length * up) / down));
  const half = taps / 2;
  for (let i = 0; i < output.length; i++) {
    if (i % outputsPerTurn === outputsPerTurn - 1) await new Promise<void>((resolve) => setImmediate(resolve));
    // Output i lies at input position i * down / up.
    const position = i * down;
    const phase = position % up;
    const first = (position - phase) / up - half + 1;
    const from = Math.max(0, -first);
    const to = Math.min(taps, samples.length - first);
    let sum = 0;
    for (let k = from, f = phase * taps + from; k < to; k++, f++) {
      sum += (samples[first + k] as number) * (filters[f] as number);
    }
    output[i] = sum > 32_767 ? 32_767 : sum < -32_768 ? -32_768 : Math.round(sum);
  }
  return output;
}

function toPlan(fromRate: number, toRate: number): { up: number; down: number; taps: number } {
  const common = greatestCommonDivisor(fromRate, toRate);
  const taps = 2 * Math.ceil(zeroCrossings * Math.max(1, fromRate / toRate));
  return { up: toRate / common, down: fromRate / common, taps };
}

/** One filter for each of the `up` positions between two input samples; `cutoff` relative to the input's Nyquist. */
function toFilters(up: number, taps: number, cutoff: number): Float32Array {
  const filters = new Float32Array(up * taps);
  const half = taps / 2;
  for (let phase = 0; phase < up; phase++) {
    let sum = 0;
    for (let k = 0; k < taps; k++) {
      const distance = k - half + 1 - phase / up;
      const value = sinc(cutoff * distance) * kaiser(distance / half);
      filters[phase * taps + k] = value;
      sum += value;
    }
    // Every filter passes a constant unchanged, or the phases would differ in loudness.
    for (let k = 0; k < taps; k++) filters[phase * taps + k] = (filters[phase * taps + k] as number) / sum;
  }
  return filters;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function kaiser(x: number): number {
  return Math.abs(x) >= 1 ? 0 : besselI0(kaiserBeta * Math.sqrt(1 - x * x)) / besselI0(kaiserBeta);
}

function besselI0(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
