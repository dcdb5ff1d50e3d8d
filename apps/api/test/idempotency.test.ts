import { maxCoursesOfOwner } from '@studymate/contracts/course';
import { createId } from '@studymate/contracts/ids';
import { testRedisUrl } from '@studymate/queue/testing';
import { mediaPrefix, personCourseKey } from '@studymate/storage/lecture-keys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { anonymousOwner } from '../src/auth/owner.ts';
import { startTestApi, type TestApi, toFile } from './support/test-api.ts';

let t: TestApi;
beforeAll(async () => {
  t = await startTestApi({ redisUrl: testRedisUrl() });
});
afterAll(async () => {
  await t?.close();
});

const upload = (text: string, headers?: Record<string, string>, fields?: Record<string, string>) =>
  uploadTo(t, text, headers, fields);

async function uploadTo(
  { url }: TestApi,
  text: string,
  headers: Record<string, string> = {},
  fields: Record<string, string> = {},
) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', toFile(text));
  const response = await fetch(`${url}/api/v1/lectures`, { method: 'POST', headers, body: form });
  const body = (await response.json()) as { id: string; error?: { code: string } };
  const { status } = response;
  return { status, replayed: response.headers.get('idempotent-replayed'), id: body.id, code: body.error?.code };
}

const countMedia = async () => (await t.blobs.list(mediaPrefix)).length;

test('the same recording and fields again: the same lecture, and the second file is not kept', async () => {
  const first = await upload('press', {}, { title: 'Press' });
  const media = await countMedia();
  expect(await upload('press', {}, { title: 'Press' })).toEqual({
    status: 202,
    replayed: 'true',
    id: first.id,
    code: undefined,
  });
  expect(await countMedia()).toBe(media);
  expect(first).toMatchObject({ status: 202, replayed: null });
});

test.each([
  ['title', { title: 'Other' }],
  ['language', { language: 'de' }],
  ['glossary', { glossary: '["Caxton"]' }],
] as [string, Record<string, string>][])(
  'the same recording with another %s: another lecture',
  async (name, fields) => {
    const first = await upload(`other ${name}`);
    expect(await upload(`other ${name}`, {}, fields)).toMatchObject({ status: 202, replayed: null });
    expect((await upload(`other ${name}`)).id).toBe(first.id);
  },
);

test('Cache-Control: no-cache: a new lecture all the same', async () => {
  const first = await upload('once more');
  const second = await upload('once more', { 'cache-control': 'no-cache' });
  expect(second).toMatchObject({ status: 202, replayed: null });
  expect(second.id).not.toBe(first.id);
});

test('the earlier one was cancelled, has failed, was deleted: it is made again, each time', async () => {
  const ids = [(await upload('again')).id];
  await t.client.cancelLecture(`${ids[0]}`);
  ids.push((await upload('again')).id);
  const failure = { code: 'not_media', message: 'no', attempt: 1, failedAt: '2026-01-01T00:00:00.000Z' };
  await t.lectures.update(`${ids[1]}`, (record) => ({ ...record, failures: { ingest: failure } }));
  ids.push((await upload('again')).id);
  await t.client.deleteLecture(`${ids[2]}`);
  ids.push((await upload('again')).id);
  expect(new Set(ids).size).toBe(4);
  expect((await upload('again')).id).toBe(ids[3]);
});

test('an equal one that retention soon deletes does not count', async () => {
  const keeping = await startTestApi({ redisUrl: testRedisUrl(), env: { RETENTION_DAYS: '4' } });
  try {
    const send = async () => (await uploadTo(keeping, 'for some days')).id;
    const first = await send();
    const setAge = (days: number) =>
      keeping.lectures.update(first, (record) => ({
        ...record,
        createdAt: new Date(Date.now() - days * 86_400_000).toISOString(),
      }));
    await setAge(2.9);
    expect(await send()).toBe(first);
    await setAge(3.1);
    const second = await send();
    expect(second).not.toBe(first);
    expect(await send()).toBe(second);
  } finally {
    await keeping.close();
  }
});

test('twenty at once, with and without a key: one lecture, one file', async () => {
  for (const headers of [{}, { 'idempotency-key': createId() }] as Record<string, string>[]) {
    const media = await countMedia();
    const text = `at once ${createId()}`;
    const answers = await Promise.all(Array.from({ length: 20 }, () => upload(text, headers)));
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(answers.filter(({ replayed }) => replayed === null)).toHaveLength(1);
    expect(await countMedia()).toBe(media + 1);
    expect(await t.blobs.stat((await t.lectures.read(`${answers[0]?.id}`))?.media.key ?? '')).not.toBeNull();
  }
});

test('a key: the same answer again, also of one that was cancelled; another content is refused, another key is new', async () => {
  const key = { 'idempotency-key': createId() };
  const first = await upload('keyed', key);
  expect(await upload('keyed', key)).toMatchObject({ status: 202, replayed: 'true', id: first.id });
  expect(await upload('other', key)).toMatchObject({ status: 422, code: 'idempotency_mismatch' });
  expect(await upload('keyed', key, { title: 'Other' })).toMatchObject({ status: 422, code: 'idempotency_mismatch' });
  await t.client.cancelLecture(first.id);
  expect((await upload('keyed', key)).id).toBe(first.id);
  const other = await upload('keyed', { 'idempotency-key': createId() });
  expect(other.status).toBe(202);
  expect(other.id).not.toBe(first.id);
  await t.client.deleteLecture(first.id);
  expect(await upload('keyed', key)).toMatchObject({ status: 404, code: 'not_found' });
});

test('a key whose request was refused can be used again; one that is none is refused', async () => {
  const key = { 'idempotency-key': createId() };
  expect(await upload('x', key, { language: 'Klingon' })).toMatchObject({ code: 'unknown_language' });
  expect(await upload('x', key, { language: 'de' })).toMatchObject({ status: 202, replayed: null });
  for (const bad of ['', 'two words', 'x'.repeat(256)]) {
    expect(await upload('y', { 'idempotency-key': bad })).toMatchObject({ status: 400, code: 'invalid_request' });
  }
});

test('a course under a key is made once', async () => {
  const key = createId();
  const post = async (title: string) => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': key };
    const init = { method: 'POST', headers, body: JSON.stringify({ title }) };
    const response = await fetch(`${t.url}/api/v1/courses`, init);
    return { status: response.status, body: (await response.json()) as { id: string; error?: { code: string } } };
  };
  const answers = await Promise.all(Array.from({ length: 10 }, () => post('Printing')));
  expect(new Set(answers.map(({ status, body }) => `${status} ${body.id}`)).size).toBe(1);
  expect((await post('Other')).body.error?.code).toBe('idempotency_mismatch');
});

test('a callbackUrl where callbacks are off, and one that leads into a private network: refused, nothing is kept', async () => {
  const strict = await startTestApi({ redisUrl: testRedisUrl(), env: { CALLBACK_SECRET: 'secret-of-this-test' } });
  try {
    for (const [api, callbackUrl] of [
      [t, 'https://example.org/done'],
      [strict, 'http://127.0.0.1/'],
    ] as const) {
      const before = await api.blobs.list('');
      const refused = api.client.uploadLecture(toFile('told'), { callbackUrl });
      await expect(refused).rejects.toMatchObject({ code: 'callback_refused', status: 422 });
      expect(await api.blobs.list('')).toEqual(before);
    }
    const taken = await strict.client.uploadLecture(toFile('told'), { callbackUrl: 'https://example.org/done' });
    expect(await strict.lectures.read(taken.id)).toMatchObject({ callbackUrl: 'https://example.org/done' });
    const other = await strict.client.uploadLecture(toFile('told'));
    expect(other.id).not.toBe(taken.id);
  } finally {
    await strict.close();
  }
});

test('courses: an owner who has as many as may be gets the one of a key again, and no other', async () => {
  const full = await startTestApi({ redisUrl: testRedisUrl() });
  try {
    const post = async (key: string) => {
      const headers = { 'content-type': 'application/json', 'idempotency-key': key };
      const body = JSON.stringify({ title: 'Printing' });
      const response = await fetch(`${full.url}/api/v1/courses`, { method: 'POST', headers, body });
      return { status: response.status, id: ((await response.json()) as { id?: string }).id };
    };
    const first = await post('first');
    for (let i = 1; i < maxCoursesOfOwner; i++) {
      await full.blobs.create(personCourseKey(anonymousOwner, 'owned', createId()), new Uint8Array());
    }
    expect((await post('second')).status).toBe(409);
    expect(await post('first')).toEqual(first);
  } finally {
    await full.close();
  }
});
