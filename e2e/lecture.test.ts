import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { LectureEvent } from '@studymate/contracts/events';
import { stageNames } from '@studymate/contracts/stages';
import type { Segment } from '@studymate/contracts/transcript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { excerpt, makeRecording } from './support/recordings.ts';
import { type RunningSystem, startSystem } from './support/running-system.ts';

let system: RunningSystem;
beforeAll(async () => {
  system = await startSystem({ LOG_LEVEL: 'trace' });
});
afterAll(() => system.close());

async function follow(lectureId: string): Promise<LectureEvent[]> {
  const events: LectureEvent[] = [];
  for await (const event of system.client.followLecture(lectureId)) events.push(event);
  return events;
}

async function study(file: File, fields: { language?: string; title?: string } = {}) {
  const { id } = await system.client.uploadLecture(file, fields);
  const events = await follow(id);
  return { id, events, lecture: await system.client.getLecture(id) };
}

describe('a recorded lecture', () => {
  test('becomes a study set whose text streamed in order while it was made, and whose parts cite its moments', async () => {
    const { id, events, lecture } = await study(await excerpt('printing.mp3', 0, 75), { title: 'Printing' });
    expect(lecture).toMatchObject({ status: 'ready', title: 'Printing', language: 'en', warnings: [] });
    expect(lecture.durationSeconds).toBeCloseTo(75, 0);
    expect(lecture.stages.map(({ name, status, progress }) => ({ name, status, progress }))).toEqual(
      stageNames.map((name) => ({ name, status: 'done', progress: 1 })),
    );
    expect(lecture.stages[0]?.cold).toBe(true);

    const transcript = await system.client.getTranscript(id);
    const streamed: Segment[] = [];
    for (const event of events) {
      if (event.type !== 'segments') continue;
      expect(event.from).toBe(streamed.length);
      streamed.push(...event.segments);
    }
    expect(streamed).toEqual(transcript.segments);
    const firstText = events.findIndex((event) => event.type === 'segments' && event.segments.length > 0);
    const ingested = events.findIndex(
      (event) => event.type === 'stage' && event.stage.name === 'assemble' && event.stage.status === 'running',
    );
    expect(firstText).toBeGreaterThan(0);
    expect(firstText).toBeLessThan(ingested);
    expect(transcript.text).toMatch(/movable metal letters/i);

    let lastStart = 0;
    for (const segment of transcript.segments) {
      expect(segment.start).toBeGreaterThanOrEqual(lastStart);
      expect(segment.end).toBeLessThanOrEqual(76);
      for (const word of segment.words) expect(word.end).toBeGreaterThanOrEqual(word.start);
      lastStart = segment.start;
    }

    const chapters = await system.client.getChapters(id);
    expect(chapters[0]?.start).toBe(0);
    const topics = await system.client.getTopics(id);
    expect(topics.length).toBeGreaterThan(0);
    const summary = await system.client.getSummary(id);
    expect(summary.statements.length).toBeGreaterThan(0);
    for (const statement of summary.statements) {
      const cited = transcript.segments.filter((s) => s.end > statement.start && s.start < statement.end);
      const spoken = new Set(cited.flatMap((s) => s.text.toLowerCase().match(/\p{L}+/gu) ?? []));
      const words = statement.text.toLowerCase().match(/\p{L}+/gu) ?? [];
      expect(words.filter((word) => !spoken.has(word))).toEqual([]);
    }
    const longer = await system.client.getSummary(id, { length: 'long' });
    expect(longer.statements.length).toBeGreaterThan(summary.statements.length);
    const flashcards = await system.client.getFlashcards(id);
    expect(flashcards.length).toBeGreaterThan(0);
    for (const { choices } of await system.client.getQuiz(id)) expect(choices).toHaveLength(4);

    const course = await system.client.createCourse('A history of books');
    await system.client.changeLecture(id, { courseId: course.id });
    const ofCourse = await system.client.getCourseTopics(course.id);
    expect(ofCourse).toMatchObject({ missing: 0, lectures: [{ id, title: 'Printing' }] });
    expect(ofCourse.topics[0]?.lectures[0]).toMatchObject({ lectureId: id });
    expect(await system.client.getCourseTopics(course.id)).toEqual(ofCourse);
    expect(await system.client.getExport(id, 'transcript', 'vtt')).toMatch(/^WEBVTT\n\n/);
    expect(await system.client.getExport(id, 'flashcards', 'anki')).toContain('#separator:tab');

    const found = await system.client.search({ q: 'movable letters', mode: 'semantic', lectureId: id });
    expect(found).toMatchObject({ mode: 'semantic', lectures: { searched: 1 } });
    expect(found.results[0]?.text).toMatch(/movable/i);
    const asked = await system.client.ask({ question: 'When was the art of printing invented?', lectureId: id });
    expect(asked).toMatchObject({ answerable: true, mode: 'hybrid' });
    expect(asked.passages[0]?.text).toMatch(/(?:fifteenth|15th) century/i);
    const unasked = await system.client.ask({ question: 'How does a diesel engine work?', lectureId: id });
    expect(unasked).toMatchObject({ answerable: false, passages: [] });
  });

  test('that is a video gives the text of its sound', async () => {
    const picture = ['-f', 'lavfi', '-i', 'testsrc=size=320x180:rate=10'];
    const sound = ['-ss', '19', '-t', '15', '-i', 'samples/history-of-printing.mp3'];
    const video = await makeRecording('film.mp4', [...picture, ...sound, '-map', '0:v', '-map', '1:a', '-shortest']);
    const { id, lecture } = await study(video);
    expect(lecture.status).toBe('ready');
    expect((await system.client.getTranscript(id)).text).toMatch(/block books/i);
  });

  test('without a voice is ready with an empty transcript and its study stages skipped', async () => {
    const silence = await makeRecording('silence.flac', ['-f', 'lavfi', '-i', 'anoisesrc=amplitude=0.002', '-t', '20']);
    const { id, lecture, events } = await study(silence);
    expect(lecture).toMatchObject({ status: 'ready', warnings: [{ code: 'no_speech' }] });
    expect(events.at(-1)).toEqual({ type: 'end', status: 'ready' });
    expect(await system.client.getTranscript(id)).toEqual({ language: null, text: '', segments: [], version: 0 });
    expect(lecture.stages.filter((stage) => stage.status === 'skipped').map((stage) => stage.name)).toEqual([
      'chapters',
      'topics',
      'summary',
      'flashcards',
    ]);
    await expect(system.client.getSummary(id)).rejects.toMatchObject({ code: 'stage_skipped', status: 409 });
  });

  test('that is no recording fails with a code that says so, and its text cannot be had', async () => {
    const page = new File(['<!doctype html><title>Not a lecture</title>'.repeat(50)], 'lecture.mp3');
    const { id, lecture } = await study(page);
    expect(lecture.status).toBe('failed');
    expect(lecture.stages[0]).toMatchObject({ name: 'ingest', status: 'failed', error: { code: 'not_media' } });
    expect(lecture.stages[0]?.startedAt).not.toBeNull();
    expect(lecture.stages.slice(1).map((stage) => stage.status)).toEqual(Array(6).fill('skipped'));
    await expect(system.client.getTranscript(id)).rejects.toMatchObject({ code: 'stage_failed' });
  });

  test('that is deleted while it is worked on stops, and leaves nothing in the store', async () => {
    const { id } = await system.client.uploadLecture(await excerpt('long.mp3', 0, 200));
    for await (const event of system.client.followLecture(id)) {
      if (event.type === 'segments') break;
    }
    await system.client.deleteLecture(id);
    const left = join(system.dataDir, 'lectures', id);
    await expect(system.client.getLecture(id)).rejects.toMatchObject({ code: 'not_found', status: 404 });
    // Work that comes after it is done: the worker is free again.
    const { lecture } = await study(await excerpt('after.mp3', 30, 8));
    expect(lecture.status).toBe('ready');
    const { lectures } = await system.client.listLectures({ limit: 100 });
    expect(lectures.map((listed) => listed.id)).not.toContain(id);
    // Only the mark that keeps the id from being taken again.
    expect(await readdir(left)).toEqual(['records']);
  });
});

describe('a short clip', () => {
  test('is transcribed at once, from WAV without a process and from MP3 through a pipe', async () => {
    const wav = await excerpt('clip.wav', 19, 5, ['-ac', '1', '-ar', '16000']);
    const direct = await system.client.transcribe(wav);
    expect(direct.text).toMatch(/similar process/i);
    expect(direct).toMatchObject({ language: 'en', timings: { decodeMethod: 'wav' } });
    expect(direct.durationSeconds).toBeCloseTo(5, 1);
    expect(direct.words.length).toBeGreaterThan(3);
    expect(direct.confidence).toBeGreaterThan(0.5);
    const mp3 = await system.client.transcribe(await excerpt('clip.mp3', 19, 5), { language: 'English' });
    expect(mp3.text).toMatch(/similar process/i);
    expect(mp3.timings).toMatchObject({ decodeMethod: 'ffmpeg-pipe', cold: false, modelLoadSeconds: 0 });
  });

  test('of silence gives no words', async () => {
    const silence = await makeRecording('silence.wav', ['-f', 'lavfi', '-i', 'anullsrc=r=16000:cl=mono', '-t', '3']);
    expect(await system.client.transcribe(silence)).toMatchObject({ text: '', words: [], confidence: 0 });
  });

  test('that is too long, no recording or in an unknown language is refused with its code', async () => {
    const long = await makeRecording('long.wav', [
      '-f',
      'lavfi',
      '-i',
      'sine=frequency=300:sample_rate=8000',
      '-t',
      '61',
    ]);
    await expect(system.client.transcribe(long)).rejects.toMatchObject({ code: 'media_too_long', status: 422 });
    const text = new File(['no sound at all '.repeat(100)], 'clip.wav');
    await expect(system.client.transcribe(text)).rejects.toMatchObject({ code: 'not_media', status: 422 });
    const clip = await excerpt('clip.wav', 19, 1);
    await expect(system.client.transcribe(clip, { language: 'Klingon' })).rejects.toMatchObject({
      code: 'unknown_language',
      status: 400,
    });
  });
});

describe('texts', () => {
  const cooking = ['Boil the pasta in salted water.', 'Fry the onions in butter.', 'Add garlic to the sauce and stir.'];
  const sky = ['The telescope shows distant galaxies.', 'A comet orbits the sun.', 'Stars are born in clouds of gas.'];

  test('of two kinds fall into two topics', async () => {
    const { topics, assignments } = await system.client.topics({ documents: [...cooking, ...sky], topicCount: 2 });
    expect(topics).toHaveLength(2);
    expect(new Set(assignments.slice(0, 3)).size).toBe(1);
    expect(new Set(assignments.slice(3)).size).toBe(1);
    expect(assignments[0]).not.toBe(assignments[3]);
  });

  test('are cut into as many chapters as asked for, where the subject changes', async () => {
    const { boundaries, chapters } = await system.client.chapters({ sentences: [...cooking, ...sky], chapterCount: 2 });
    expect(boundaries).toEqual([0, 3]);
    expect(chapters.map(({ firstSentence, lastSentence }) => [firstSentence, lastSentence])).toEqual([
      [0, 2],
      [3, 5],
    ]);
  });

  test('are summarised in their own sentences, and streamed in the form SummarizeAI reads', async () => {
    const text = [...cooking, ...sky].join(' ');
    const { sentences } = await system.client.summarize({ text, maxSentences: 2 });
    expect(sentences).toHaveLength(2);
    for (const sentence of sentences) expect([...cooking, ...sky][sentence.index]).toBe(sentence.text);

    const response = await fetch(`${system.baseUrl}/api/v1/summarize/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text }),
    });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const pieces = (await response.text())
      .trim()
      .split('\n\n')
      .map((line) => JSON.parse(line.replace(/^data: /, '')) as { content: string; done: boolean });
    expect(pieces.at(-1)).toEqual({ content: '', done: true });
    expect(pieces.slice(0, -1).every((piece) => !piece.done && piece.content !== '')).toBe(true);
  });
});

test('metrics tell of starts, model loads, stages and requests', async () => {
  const api = await (await fetch(`${system.internalUrl}/metrics`)).text();
  const worker = await (await fetch(`${system.workerUrl}/metrics`)).text();
  for (const name of ['app_startup_seconds', 'http_request_duration_seconds', 'first_request_seconds', 'queue_depth']) {
    expect(api).toContain(`# TYPE ${name} `);
  }
  for (const name of ['app_startup_seconds', 'model_load_seconds', 'stage_duration_seconds', 'queue_wait_seconds']) {
    expect(worker).toContain(`# TYPE ${name} `);
  }
  expect(worker).toMatch(/requests_cold_total\{[^}]*kind="speech"[^}]*\} [1-9]/);
  expect(worker).toMatch(
    /model_state\{[^}]*family="speech"[^}]*state="ready"[^}]*\} 1|model_state\{[^}]*state="ready"[^}]*family="speech"[^}]*\} 1/,
  );
});

test('no words of a transcript, no title and no name of a file are in the logs, however much is logged', async () => {
  const { lectures } = await system.client.listLectures();
  const whole = lectures.filter(({ status }) => status === 'ready');
  expect(whole.length).toBeGreaterThan(0);
  const log = (await system.readLogs()).toLowerCase();
  expect(log).toContain('"msg":"request"');
  expect(log).toContain(whole[0]?.id);
  for (const { id, title } of whole) {
    const { segments } = await system.client.getTranscript(id);
    // Three words on end: single ones such as "is" stand in every log.
    const phrases = segments.map(({ words }) => words.slice(0, 3).map(({ word }) => word.toLowerCase()));
    const found = phrases.filter((words) => words.length === 3 && log.includes(words.join(' ')));
    expect([title, found]).toEqual([title, []]);
  }
  for (const name of ['printing.mp3', '"printing"', 'movable metal']) expect(log).not.toContain(name);
});
