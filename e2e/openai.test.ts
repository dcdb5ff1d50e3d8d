import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { createFileBlobStore } from '@studymate/storage/file-blob-store';
import { createLectureStore } from '@studymate/storage/lecture-store';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { excerpt, makeRecording } from './support/recordings.ts';
import { type RunningSystem, startSystem } from './support/running-system.ts';
import { until } from './support/until.ts';

/** The SDK of OpenAI as it is published, with nothing changed but the address. */
let system: RunningSystem;
let openai: OpenAI;
beforeAll(async () => {
  system = await startSystem();
  openai = new OpenAI({ baseURL: `${system.baseUrl}/v1`, apiKey: 'any', maxRetries: 0 });
});
afterAll(() => system.close());

const model = 'whisper-1';
const clip = () => excerpt('clip.mp3', 0, 9);
/** Longer than what is answered as a clip. */
const long = () => excerpt('long.mp3', 0, 75);

describe('openai.audio.transcriptions', () => {
  test('a clip, in every response format: the same words, each format of its own type', async () => {
    const file = await clip();
    const { text } = await openai.audio.transcriptions.create({ file, model });
    expect(text).toMatch(/^Printing, in the only sense/);
    const as = (response_format: 'text' | 'srt' | 'vtt') =>
      openai.audio.transcriptions.create({ file, model, response_format }) as Promise<string>;
    expect(await as('text')).toBe(`${text}\n`);
    expect(await as('srt')).toMatch(/^1\r\n00:00:0\d,\d{3} --> 00:00:0\d,\d{3}\r\nPrinting/);
    expect(await as('vtt')).toMatch(/^WEBVTT\n\n00:00:0/);
  });

  test('verbose_json with words and segments: times, tokens and probabilities of each', async () => {
    const file = await clip();
    const verbose = await openai.audio.transcriptions.create({
      file,
      model,
      response_format: 'verbose_json',
      timestamp_granularities: ['word', 'segment'],
      language: 'en',
    });
    expect(verbose).toMatchObject({ language: 'english', usage: { type: 'duration', seconds: 10 } });
    expect(verbose.duration).toBeCloseTo(9, 0);
    const { words = [], segments = [] } = verbose;
    expect(words.map(({ word }) => word).join(' ')).toBe(verbose.text);
    expect(segments.map((segment) => segment.text).join('')).toBe(` ${verbose.text}`);
    for (const segment of segments) {
      expect(segment.tokens.length).toBeGreaterThanOrEqual(segment.text.trim().split(' ').length);
      expect(segment).toMatchObject({ temperature: 0, seek: 0 });
      expect(segment.avg_logprob).toBeLessThan(0);
      expect(segment.avg_logprob).toBeGreaterThan(-1);
      expect(segment.compression_ratio).toBeGreaterThan(0.5);
      expect(segment.no_speech_prob).toBeLessThan(0.6);
    }
    const onlySegments = await openai.audio.transcriptions.create({ file, model, response_format: 'verbose_json' });
    expect(onlySegments.words).toBe(undefined);
    expect(onlySegments.segments?.length).toBe(segments.length);
  });

  test('prompt: the names in it are spelt as they stand there', async () => {
    const file = await excerpt('names.mp3', 204, 17);
    const plain = await openai.audio.transcriptions.create({ file, model, language: 'en' });
    expect(plain.text).not.toContain('Pannartz');
    const prompt = 'Names: Sweynheym, Pannartz, Subiaco.';
    const named = await openai.audio.transcriptions.create({ file, model, language: 'en', prompt });
    expect(named.text).toContain('Pannartz');
  });

  test('a longer recording, streamed: text as it is made, the same as the lecture has, and no lecture in the list', async () => {
    const file = await long();
    const stream = await openai.audio.transcriptions.create({ file, model, stream: true });
    const deltas: string[] = [];
    let done = '';
    for await (const event of stream) {
      if (event.type === 'transcript.text.delta') deltas.push(event.delta);
      if (event.type === 'transcript.text.done') done = event.text;
    }
    expect(deltas.length).toBeGreaterThan(2);
    expect(deltas.join('')).toBe(done);
    expect((await system.client.listLectures()).lectures).toEqual([]);

    // Asked for again it is taken over; as a lecture it has the same words.
    const verbose = await openai.audio.transcriptions.create({ file, model, response_format: 'verbose_json' });
    expect(verbose.text).toBe(done);
    expect(verbose.segments?.every(({ tokens }) => tokens.length > 0)).toBe(true);
    const { id } = await system.client.uploadLecture(file);
    for await (const event of system.client.followLecture(id)) if (event.type === 'end') break;
    expect((await system.client.getTranscript(id)).text).toBe(done);
    await system.client.deleteLecture(id);
  });

  test.each(['in mid-stream', 'before there is anything to say'])(
    'a caller that goes away %s: the work ends',
    async (when) => {
      const file = await excerpt('left.mp3', when === 'in mid-stream' ? 0 : 1, 160);
      const folder = path.join(system.dataDir, 'transient');
      const before = (await readdir(folder).catch(() => [])).length;
      const leaving = new AbortController();
      if (when === 'in mid-stream') {
        const stream = await openai.audio.transcriptions.create({ file, model, stream: true });
        for await (const event of stream) if (event.type === 'transcript.text.delta') break;
        stream.controller.abort();
      } else {
        const waiting = openai.audio.transcriptions.create({ file, model }, { signal: leaving.signal });
        const left = expect(waiting).rejects.toThrow();
        await until('the work', async () => (await readdir(folder)).length > before);
        leaving.abort();
        await left;
      }
      const blobs = await createFileBlobStore({ rootDir: system.dataDir });
      const lectures = createLectureStore({ blobs });
      await until('the end of the work', async () => {
        const ids = (await readdir(folder)).sort();
        const record = await lectures.read(ids.at(-1) ?? '');
        return record !== null && record.cancelledAt !== null;
      });
      await blobs.close();
    },
  );

  test('silence: no words, and no error', async () => {
    const file = await makeRecording('silence.wav', ['-f', 'lavfi', '-i', 'anullsrc=r=16000:cl=mono', '-t', '3']);
    expect((await openai.audio.transcriptions.create({ file, model })).text).toBe('');
    const stream = await openai.audio.transcriptions.create({ file, model, stream: true });
    const events = [];
    for await (const event of stream) events.push(event);
    expect(events).toMatchObject([{ type: 'transcript.text.done', text: '' }]);
  });

  test('what cannot be done: the error class, code and param that programs look for', async () => {
    const file = await clip();
    const text = new File(['no sound at all'], 'notes.mp3');
    const create = openai.audio.transcriptions.create.bind(openai.audio.transcriptions);
    await expect(create({ file, model: 'whisper-9' })).rejects.toMatchObject({
      constructor: OpenAI.NotFoundError,
      code: 'model_not_found',
      param: 'model',
      type: 'invalid_request_error',
      requestID: expect.any(String),
    });
    await expect(create({ file, model, language: 'Dothraki' })).rejects.toMatchObject({
      constructor: OpenAI.BadRequestError,
      code: 'unknown_language',
      param: 'language',
    });
    await expect(create({ file, model, response_format: 'diarized_json' })).rejects.toMatchObject({
      constructor: OpenAI.BadRequestError,
      param: 'response_format',
    });
    await expect(create({ file: text, model })).rejects.toMatchObject({
      constructor: OpenAI.UnprocessableEntityError,
      code: 'not_media',
    });
    await expect(create({ file: text, model, stream: true })).rejects.toMatchObject({ code: 'not_media' });
    await expect(create({ file: new File([], 'empty.mp3'), model })).rejects.toMatchObject({ code: 'file_empty' });
  });
});

test('openai.audio.translations: English, said to be English', async () => {
  const file = await clip();
  const verbose = await openai.audio.translations.create({ file, model, response_format: 'verbose_json' });
  expect(verbose).toMatchObject({ language: 'english', task: 'translate' });
  expect(verbose.text).toMatch(/printing/i);
});

test('openai.models: the names that are answered for, one by one and in a list', async () => {
  const ids: string[] = [];
  for await (const { id } of openai.models.list()) ids.push(id);
  expect(ids).toEqual(['whisper-base', 'whisper-1', 'gpt-4o-transcribe', 'gpt-4o-mini-transcribe']);
  expect(await openai.models.retrieve('whisper-base')).toMatchObject({ object: 'model', owned_by: 'studymate' });
  await expect(openai.models.retrieve('gpt-5')).rejects.toMatchObject({ constructor: OpenAI.NotFoundError });
});
