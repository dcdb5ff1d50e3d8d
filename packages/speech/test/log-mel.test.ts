import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createLogMel, melFrameCount } from '../src/log-mel.ts';
import { binCount, createRealFft400, fftSize } from '../src/real-fft-400.ts';

interface Case {
  sampleCount: number;
  bands: number;
  frames: number[];
  columns: number[][];
}
const cases: Case[] = JSON.parse(readFileSync(new URL('./fixtures/log-mel.json', import.meta.url), 'utf8'));

/** The same sound as fixtures/make-log-mel.py makes. */
function makeSamples(count: number): Int16Array {
  const samples = new Int16Array(count);
  let state = 12_345;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    const tone = 6000 * Math.sin((2 * Math.PI * (200 + 0.05 * (i % 40_000)) * i) / 16_000);
    samples[i] = Math.floor(tone + (state % 2001) - 1000);
  }
  return samples;
}

test('128 bands, as large-v3 hears them: the loudest lies where the tone is, and the scale is that of 80', () => {
  const tone = Int16Array.from({ length: 16_000 }, (_, i) => 8000 * Math.sin((2 * Math.PI * 1000 * i) / 16_000));
  const frame = 50;
  const column = (bandCount: number) => {
    const bands = createLogMel(bandCount).compute(tone);
    expect(bands).toHaveLength(bandCount * melFrameCount);
    return Array.from({ length: bandCount }, (_, band) => bands[band * melFrameCount + frame] as number);
  };
  const loudest = (values: number[]) => values.indexOf(Math.max(...values));
  const [narrow, wide] = [column(128), column(80)];
  // 1000 Hz is 15 of the 45.2 mel up to 8000 Hz; 128 bands divide them into 129 steps, 80 into 81.
  expect(Math.abs(loudest(narrow) - 42)).toBeLessThanOrEqual(1);
  expect(Math.abs(loudest(wide) - 26)).toBeLessThanOrEqual(1);
  expect(Math.abs(Math.max(...narrow) - Math.max(...wide))).toBeLessThan(0.1);
  expect(Math.abs(Math.min(...narrow) - Math.min(...wide))).toBeLessThan(0.1);
});

test('the power spectrum equals the definition of the Fourier transform', () => {
  const frame = Float64Array.from({ length: fftSize }, (_, i) => Math.sin(i * i * 0.013) + 0.3 * Math.cos(i * 1.7));
  const expected = Array.from({ length: binCount }, (_, k) => {
    let re = 0;
    let im = 0;
    frame.forEach((value, i) => {
      re += value * Math.cos((2 * Math.PI * k * i) / fftSize);
      im -= value * Math.sin((2 * Math.PI * k * i) / fftSize);
    });
    return re * re + im * im;
  });
  const power = new Float64Array(binCount);
  createRealFft400().powerSpectrum(frame.slice(), power);
  for (let k = 0; k < binCount; k++) expect(power[k]).toBeCloseTo(expected[k] as number, 8);
});

test.each(cases)('$bands bands of $sampleCount samples equal NumPy’s', ({ sampleCount, bands, frames, columns }) => {
  const result = createLogMel(bands).compute(makeSamples(sampleCount));
  expect(result.length).toBe(bands * melFrameCount);
  frames.forEach((frame, i) => {
    const column = Array.from({ length: bands }, (_, m) => result[m * melFrameCount + frame] as number);
    const worst = Math.max(...column.map((value, m) => Math.abs(value - (columns[i]?.[m] as number))));
    expect(worst, `frame ${frame}`).toBeLessThan(2e-4);
  });
});

test('a second sound is not touched by the one before it, and silence is even', () => {
  const logMel = createLogMel(80);
  const short = makeSamples(8000);
  const alone = createLogMel(80).compute(short);
  logMel.compute(makeSamples(480_000));
  const again = logMel.compute(short);
  expect(again.every((value, i) => value === alone[i])).toBe(true);
  expect(new Set(logMel.compute(new Int16Array(0)))).toEqual(new Set([-1.5]));
});
