import { expect, test } from 'vitest';
import { greatestVoice, keepSpeechOnly, measureVoice } from '../src/voice.ts';

const rate = 16_000;
/** Ten seconds with speech from 2 to 3 s and from 7 to 8 s. */
const frames = Array.from({ length: 312 }, (_, i) => {
  const second = i * 0.032;
  return (second >= 2 && second < 3) || (second >= 7 && second < 8) ? 0.9 : 0.05;
});

test('speech is measured in seconds and as a share', () => {
  const { speechSeconds, share } = measureVoice(frames);
  expect(speechSeconds).toBeCloseTo(2, 0);
  expect(share).toBeCloseTo(0.2, 1);
  expect(measureVoice([])).toEqual({ speechSeconds: 0, totalSeconds: 0, share: 0 });
});

test('the greatest voice of a stretch counts a little before and after it', () => {
  expect(greatestVoice(frames, 2.2, 2.4)).toBe(0.9);
  expect(greatestVoice(frames, 3.1, 3.4)).toBe(0.9);
  expect(greatestVoice(frames, 4, 5)).toBe(0.05);
});

test('the sound without what is not speech: its times are those of the whole', () => {
  const samples = Int16Array.from({ length: 10 * rate }, (_, i) => Math.floor(i / 100));
  const speech = keepSpeechOnly(samples, frames, { paddingSeconds: 0.25 });
  expect(speech).not.toBeNull();
  const kept = speech as NonNullable<typeof speech>;
  expect(kept.samples.length / rate).toBeCloseTo(3, 0);
  for (const seconds of [0, 0.7, 1.4, 1.8, 2.4, 2.9]) {
    const there = Math.round(kept.toWhole(seconds) * rate);
    expect(kept.samples[Math.round(seconds * rate)]).toBe(samples[there]);
  }
});

test('all speech or none: there is nothing to leave out', () => {
  expect(keepSpeechOnly(new Int16Array(5 * 512), [0.9, 0.9, 0.9, 0.9, 0.9])).toBeNull();
  expect(keepSpeechOnly(new Int16Array(5 * 512), [0, 0, 0, 0, 0])).toBeNull();
});
