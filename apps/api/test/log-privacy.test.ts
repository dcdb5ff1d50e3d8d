import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { testRedisUrl } from '@studymate/queue/testing';
import { transcriptKey } from '@studymate/storage/lecture-keys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { finishLecture, makeSegment, writeChunk } from './support/made-lecture.ts';
import { startTestApi, type TestApi, toFile } from './support/test-api.ts';

/** Words that stand nowhere else: in the name of a file, a title, what is said, and what is asked. */
const words = { file: 'zymurgy', title: 'xylographica', said: 'quokkas', asked: 'ytterbium', secret: 'sm_kwyjibo' };

let t: TestApi;
beforeAll(async () => {
  t = await startTestApi({ redisUrl: testRedisUrl() });
});
afterAll(async () => {
  await t?.close();
});

const ask = async (route: string, init?: RequestInit) => {
  const response = await fetch(`${t.url}${route}`, init);
  return { status: response.status, text: await response.text() };
};
const json = (body: string): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', authorization: `Bearer ${words.secret}` },
  body,
});

test('nothing of what is said, named or asked stands in the log, also where it goes wrong', async () => {
  const file = toFile(words.said, `${words.file}.mp3`, `audio/${words.file}`);
  const { id } = await t.client.uploadLecture(file, { title: words.title, glossary: [words.asked] });
  await writeChunk(t, id, 0, [words.said]);
  const segments = [makeSegment(0, words.said)];
  await finishLecture(t, id, {
    assemble: { language: 'en', text: words.said, segments },
    chapters: [],
    topics: [],
    summary: { statements: [{ text: words.said, start: 0, end: 1 }], keyTerms: [] },
    flashcards: [],
  });
  const at = `/api/v1/lectures/${id}`;
  expect((await ask(`${at}/transcript?format=text`)).text).toContain(words.said);
  expect((await ask(`${at}/events`)).text).toContain(words.said);
  expect((await ask(`${at}/media`)).text).toContain(words.said);

  // Refusals of every kind, and a fault of ours: what is kept is damaged.
  await ask(`${at}/transcript?format=${words.asked}`);
  await ask(`/${words.asked}/${words.asked}?${words.asked}`);
  await ask('/api/v1/topics', json(`{"documents": ["${words.asked}`));
  await ask('/api/v1/topics', json(`{"documents": "${words.asked}"}`));
  await ask(`/v1/models/${words.asked}`);
  const form = new FormData();
  form.append('language', words.asked);
  form.append('file', file);
  await ask('/api/v1/transcribe', { method: 'POST', body: form });
  await ask('/v1/audio/transcriptions', { method: 'POST', body: form });
  const stored = path.join(t.config.dataDir, ...transcriptKey(id, 1).split('/'));
  const isStored = (await t.listFiles()).includes(stored);
  expect(isStored).toBe(true);
  for (const damaged of [words.said, `"${words.said}"`, `{"schemaVersion": 1, "content": "${words.said}"}`]) {
    await writeFile(stored, damaged);
    expect((await ask(`${at}/transcript`)).status).toBe(500);
  }
  await t.client.deleteLecture(id);

  const log = JSON.stringify(t.log).toLowerCase();
  expect(t.log.filter((line) => line.msg === 'request').length).toBeGreaterThan(10);
  expect(t.log.some((line) => line.msg === 'request failed')).toBe(true);
  for (const word of Object.values(words)) expect(log).not.toContain(word);
});
