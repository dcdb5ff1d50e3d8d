import { testRedisUrl } from '@studymate/queue/testing';
import { transcriptKey } from '@studymate/storage/lecture-keys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { toRef } from './support/made-lecture.ts';
import { makeSearchableLecture, toTranscript } from './support/searchable.ts';
import { startTestApi, type TestApi } from './support/test-api.ts';

let t: TestApi;
beforeAll(async () => {
  t = await startTestApi({ redisUrl: testRedisUrl() });
});
afterAll(async () => {
  await t?.close();
});

const heard = ['The missile type was cast of metal.', 'The press gave copies.', 'Thank you for watching.'];

test('a correction that finds no place in a text that is heard anew is told of, and thrown away when that is asked for', async () => {
  const { id } = await makeSearchableLecture(t, heard);
  expect(await t.client.getUnplacedCorrections(id)).toEqual({ version: 0, corrections: [] });
  expect((await t.client.discardUnplacedCorrections(id)).version).toBe(0);
  await t.client.editTranscript(id, [
    { id: 0, text: 'The missal type.' },
    { id: 1, text: 'The press gave many copies.' },
  ]);
  const content = toTranscript(['Something else.', ...heard.slice(1)]);
  await t.artifacts.createArtifact(transcriptKey(id, 2), { schemaVersion: 1, content });
  await t.lectures.update(id, (record) => ({
    ...record,
    attempts: { assemble: 2 },
    artifacts: { ...record.artifacts, assemble: toRef(transcriptKey(id, 2), 2) },
    studiedVersions: { chapters: 1 },
  }));
  const correction = { start: 0, from: heard[0], text: 'The missal type.' };
  expect(await t.client.getUnplacedCorrections(id)).toEqual({ version: 1, corrections: [correction] });
  const before = (await t.client.getTranscript(id)).segments;
  await expect(t.client.discardUnplacedCorrections(id, { version: 0 })).rejects.toMatchObject({ status: 412 });
  expect(await t.client.discardUnplacedCorrections(id, { version: 1 })).toEqual({ version: 2, segments: [] });
  expect(await t.client.getUnplacedCorrections(id)).toEqual({ version: 2, corrections: [] });
  expect((await t.client.getTranscript(id)).segments).toEqual(before);
  // The text is the same, so what was made of it is not old; what was made of the machine's is as old as before.
  const { stages } = await t.client.getLecture(id);
  const madeOf = stages.flatMap(({ name, transcriptVersion }) =>
    transcriptVersion === undefined ? [] : [[name, transcriptVersion]],
  );
  expect(madeOf).toEqual([['chapters', 2], ...['topics', 'summary', 'flashcards'].map((name) => [name, 0])]);
  // The version before still has it.
  await t.client.restoreTranscript(id, 1);
  expect((await t.client.getUnplacedCorrections(id)).corrections).toEqual([correction]);
});
