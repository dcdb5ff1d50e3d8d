import { afterAll, beforeAll, expect, test } from 'vitest';
import { excerpt, makeRecording } from './support/recordings.ts';
import { type RunningSystem, startSystem } from './support/running-system.ts';

let system: RunningSystem;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system?.close());

const language = 'en';
/** Where "a similar process" is said. */
const from = 19;
const seconds = 5;

test('a clip that comes again: its answer is kept, unless a fresh one is asked for or something else is asked', async () => {
  const clip = await excerpt('again.wav', from, seconds, ['-ac', '1', '-ar', '16000']);
  const first = await system.client.transcribe(clip, { language });
  const again = await system.client.transcribe(clip, { language });
  expect(first.timings.cached).toBe(false);
  expect(again.timings).toMatchObject({ cached: true, cold: false, inferenceSeconds: 0, decodeMethod: 'wav' });
  expect({ ...again, timings: null }).toEqual({ ...first, timings: null });
  const fresh = await system.client.transcribe(clip, { language, fresh: true });
  expect([fresh.text, fresh.timings.cached]).toEqual([first.text, false]);
});

test('candidates: the spoken one comes first, all come back as they were given, and again from what is kept', async () => {
  const clip = await excerpt('candidates.wav', from, seconds, ['-ac', '1', '-ar', '16000']);
  const candidates = ['an entirely different thing', '  by a similar process ', 'sixteen'];
  const answer = await system.client.transcribe(clip, { candidates: ['by a similar process', ...candidates] });
  expect(answer.language).toBe('en');
  expect(answer.text).toMatch(/similar process/i);
  expect(answer.candidates?.[0]?.text).toBe('by a similar process');
  expect(answer.candidates?.map(({ text }) => text).sort()).toEqual(
    ['an entirely different thing', 'by a similar process', 'sixteen'].sort(),
  );
  expect(answer.candidates?.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 6);
  const other = await system.client.transcribe(clip, { candidates });
  expect(other.timings.cached).toBe(false);
});

test('candidates for a clip that is too long for them: media_too_long', async () => {
  const clip = await excerpt('long.wav', 0, 29, ['-ac', '1', '-ar', '8000']);
  await expect(system.client.transcribe(clip, { candidates: ['a', 'b'] })).rejects.toMatchObject({
    code: 'media_too_long',
  });
});

test.each([
  [
    'of a telephone (8 kHz, mu-law, 300 to 3400 Hz)',
    'phone.wav',
    ['-af', 'highpass=300,lowpass=3400', '-ar', '8000', '-c:a', 'pcm_mulaw'],
  ],
  ['that is badly clipped', 'clipped.wav', ['-af', 'volume=24dB', '-ar', '16000']],
  ['in stereo with one empty channel', 'half.wav', ['-af', 'pan=stereo|c0=0*c0|c1=c0', '-ar', '44100']],
  [
    'with a second track that is a tone',
    'tracks.mka',
    ['-f', 'lavfi', '-i', 'sine=440:d=5', '-map', '0:a', '-map', '1:a'],
  ],
])('a clip %s: the right text', async (_, name, args) => {
  const { text } = await system.client.transcribe(await excerpt(name, from, seconds, args), { language });
  expect(text).toMatch(/similar process/i);
});

test('a clip of 0.05 s: no words, with candidates too', async () => {
  const clip = await excerpt('short.wav', from, 0.05, ['-ac', '1', '-ar', '16000']);
  const answer = await system.client.transcribe(clip, { language, candidates: ['yes', 'no'] });
  expect(answer).toMatchObject({ text: '', words: [], confidence: 0 });
  expect(answer.candidatesConfidence).toBeLessThan(0.5);
});

/** A WAV whose header has another sample rate than the sound was made with. */
async function withRate(file: File, sampleRate: number): Promise<File> {
  const bytes = new DataView(await file.arrayBuffer());
  bytes.setUint32(24, sampleRate, true);
  bytes.setUint32(28, (sampleRate * 2) >>> 0, true);
  return new File([bytes.buffer as ArrayBuffer], 'rate.wav');
}

test('a WAV whose header has a somewhat wrong sample rate: the right text; an impossible one: a clear error', async () => {
  const clip = await excerpt('rate.wav', from, seconds, ['-ac', '1', '-ar', '16000']);
  const slower = await system.client.transcribe(await withRate(clip, 14_000), { language });
  expect(slower.text).toMatch(/similar process/i);
  const { code } = await system.client.transcribe(await withRate(clip, 0), { language }).then(
    () => ({ code: '' }),
    (error: { code: string }) => error,
  );
  expect(['not_media', 'media_damaged', 'unsupported_media']).toContain(code);
});

test('a WAV that holds no sound, only a header: a clear error', async () => {
  const clip = await makeRecording('head.wav', ['-f', 'lavfi', '-i', 'anullsrc=r=16000:cl=mono', '-t', '0.1']);
  const head = new File([(await clip.arrayBuffer()).slice(0, 44)], 'head.wav');
  await expect(system.client.transcribe(head, { language })).rejects.toMatchObject({ status: 422 });
});
