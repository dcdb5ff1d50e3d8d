import { testRedisUrl } from '@studymate/queue/testing';
import { transcriptKey } from '@studymate/storage/lecture-keys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { finishLecture, makeLecture, toRef, writeChunk } from './support/made-lecture.ts';
import { makeSearchableLecture, toTranscript } from './support/searchable.ts';
import { startTestApi, type TestApi } from './support/test-api.ts';

let t: TestApi;
beforeAll(async () => {
  t = await startTestApi({ redisUrl: testRedisUrl() });
});
afterAll(() => t?.close());

const heard = ['The missile type was cast of metal.', 'The press gave copies.', 'Thank you for watching.'];
const send = (id: string, method: string, path: string, body: unknown, ifMatch: string) =>
  fetch(`${t.url}/api/v1/lectures/${id}/transcript${path}`, {
    method,
    headers: { 'content-type': 'application/json', 'if-match': ifMatch },
    body: JSON.stringify(body),
  });

test('what is transcribed so far has no ETag; the whole text has one in every format', async () => {
  const { id } = await makeLecture(t);
  await writeChunk(t, id, 0, ['So far.']);
  for (const format of ['json', 'srt']) {
    const part = await fetch(`${t.url}/api/v1/lectures/${id}/transcript?partial=true&format=${format}`);
    expect([part.status, part.headers.get('etag')]).toEqual([200, null]);
  }
  await finishLecture(t, id, { assemble: toTranscript(heard) });
  const whole = await fetch(`${t.url}/api/v1/lectures/${id}/transcript?partial=true`);
  expect(whole.headers.get('etag')).toBe('"0-1"');
});

test('a correction with the ETag of a text that was heard anew: refused under the same version, too; with the version alone not', async () => {
  const { id } = await makeSearchableLecture(t, heard);
  const readEtag = async () =>
    (await fetch(`${t.url}/api/v1/lectures/${id}/transcript?format=srt`)).headers.get('etag');
  const save = (etag: string) => send(id, 'PATCH', '', { segments: [{ id: 0, text: `by ${etag}` }] }, etag);
  await t.artifacts.createArtifact(transcriptKey(id, 2), { schemaVersion: 1, content: toTranscript(heard) });
  await t.lectures.update(id, (record) => ({
    ...record,
    attempts: { assemble: 2 },
    artifacts: { ...record.artifacts, assemble: toRef(transcriptKey(id, 2), 2) },
  }));
  expect(await readEtag()).toBe('"0-2"');
  const refused = await save('"0-1"');
  expect([refused.status, await refused.json()]).toMatchObject([
    412,
    { error: { code: 'version_mismatch', version: 0 } },
  ]);
  const saved = await save('"0-2"');
  expect([saved.status, saved.headers.get('etag'), await readEtag()]).toEqual([200, '"1-2"', '"1-2"']);
  expect((await save('"1"')).status).toBe(200);
  const restored = await send(id, 'POST', '/restore', { version: 1 }, 'W/"2-2"');
  expect([restored.status, restored.headers.get('etag')]).toEqual([200, '"3-2"']);
});
