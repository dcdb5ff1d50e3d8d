/** How loud a recording is in the course of time, for a picture of it. */
export interface LoudnessMeter {
  push(samples: Int16Array): void;
  /** At most `maxLoudnessValues` bytes of equal stretches: 255 is as loud as the loudest, 0 is silence. */
  finish(): Uint8Array;
}

/** As many as a wide screen has room for; 8 hours are 16 s each. */
export const maxLoudnessValues = 1_800;
/** 100 ms at 16 kHz. */
const binSamples = 1_600;

/** Root mean square of each stretch: unlike the highest sample it shows where somebody pauses. */
export function createLoudnessMeter(): LoudnessMeter {
  /** Mean squares of the bins so far. */
  const bins: number[] = [];
  let sum = 0;
  let count = 0;
  const close = () => {
    if (count > 0) bins.push(sum / count);
    sum = 0;
    count = 0;
  };
  return {
    push(samples) {
      for (const sample of samples) {
        sum += sample * sample;
        count += 1;
        if (count === binSamples) close();
      }
    },
    finish() {
      close();
      const each = Math.max(1, Math.ceil(bins.length / maxLoudnessValues));
      const levels: number[] = [];
      for (let i = 0; i < bins.length; i += each) {
        const some = bins.slice(i, i + each);
        levels.push(Math.sqrt(some.reduce((all, one) => all + one, 0) / some.length));
      }
      const loudest = levels.reduce((max, level) => Math.max(max, level), 0);
      return Uint8Array.from(levels, (level) => (loudest === 0 ? 0 : Math.round((level / loudest) * 255)));
    },
  };
}

/** Passes samples on as they come, and measures them on the way. */
export async function* measureLoudness(
  decoded: AsyncIterable<Int16Array>,
  meter: Pick<LoudnessMeter, 'push'>,
): AsyncGenerator<Int16Array> {
  for await (const samples of decoded) {
    meter.push(samples);
    yield samples;
  }
}
