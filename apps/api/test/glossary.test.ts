import { parseGlossary } from '@studymate/contracts/glossary';
import { testRedisUrl } from '@studymate/queue/testing';
import { mediaPrefix } from '@studymate/storage/lecture-keys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi, toFile } from './support/test-api.ts';

let t: TestApi;
beforeAll(async () => {
  t = await startTestApi({ redisUrl: testRedisUrl() });
});
afterAll(async () => {
  await t?.close();
});

async function upload(fields: readonly string[]) {
  const form = new FormData();
  for (const field of fields) form.append('glossary', field);
  form.append('file', toFile('some sound'));
  const response = await fetch(`${t.url}/api/v1/lectures`, { method: 'POST', body: form });
  const body = (await response.json()) as { glossary?: string[]; error?: { code: string; message: string } };
  return { status: response.status, body };
}

test.each([
  ['a JSON array', '["Caxton", "Wynkyn  de Worde"]', ['Caxton', 'Wynkyn de Worde']],
  ['a term a line, some of them empty', ' Caxton\r\n\n\tJenson \n', ['Caxton', 'Jenson']],
  ['terms given twice, once in other letters', 'Caxton\ncaxton\nCaxton', ['Caxton']],
  ['a term with a combining accent', 'Ko\u0308berger', ['K\u00f6berger']],
  ['other scripts, signs and digits', 'C++\nمطبعة\n活字\nUTF-8', ['C++', 'UTF-8', 'مطبعة', '活字']],
  ['nothing', '', []],
  ['an empty array', '[]', []],
  ['the longest term of characters of four bytes', '𝔄'.repeat(100), ['𝔄'.repeat(100)]],
])('a glossary of %s: read', (_, field, terms) => {
  expect(parseGlossary(field)).toEqual(terms);
});

test.each([
  ['no strings', '[1]', /array of strings/],
  ['a broken array', '["Caxton"', /is none/],
  ['a control character', '["a\\u0000b"]', /control characters/],
  ['a line end within a term', '["a\\nb"]', /control characters/],
  ['letters that turn the direction of writing', 'a\u202eb', /control characters/],
  ['half a character', '["\\ud800"]', /control characters/],
  ['a term that is too long', 'x'.repeat(101), /100 characters/],
  ['signs alone', '—', /letter or a digit/],
  ['too many terms', Array.from({ length: 201 }, (_, i) => `term ${i}`).join('\n'), /200 terms/],
])('a glossary with %s: refused', (_, field, message) => {
  expect(() => parseGlossary(field)).toThrow(message);
});

test('upload with a glossary: kept in the record and shown, however it was given', async () => {
  const glossary = ['Caxton', 'Jenson'];
  const { id } = await t.client.uploadLecture(toFile('some sound'), { glossary });
  expect((await t.lectures.read(id))?.recognition).toEqual({ glossary });
  expect((await t.client.getLecture(id)).glossary).toEqual(glossary);
  expect((await upload(['Jenson', 'Caxton'])).body.glossary).toEqual(glossary);
  expect((await upload(['Jenson\nCaxton'])).body.glossary).toEqual(glossary);
});

test('upload of as many terms of as many bytes as there may be: taken', async () => {
  const terms = Array.from({ length: 200 }, (_, i) => `${i}`.padEnd(4, '活').padEnd(100, '字'));
  expect((await upload([JSON.stringify(terms)])).status).toBe(202);
});

test('upload without a glossary, or with an empty one: none is kept or shown', async () => {
  const { id } = await t.client.uploadLecture(toFile('some sound'), { glossary: [] });
  expect((await t.lectures.read(id))?.recognition).toBeUndefined();
  expect(await t.client.getLecture(id)).not.toHaveProperty('glossary');
});

test('upload with a glossary that is refused: named, and nothing is kept', async () => {
  const before = (await t.blobs.list(mediaPrefix)).length;
  const { status, body } = await upload(['Caxton', 'x'.repeat(101)]);
  expect([status, body.error?.code]).toEqual([400, 'invalid_request']);
  expect(body.error?.message).toMatch(/^glossary: /);
  expect((await upload(['x'.repeat(200_000)])).status).toBe(400);
  expect((await t.blobs.list(mediaPrefix)).length).toBe(before);
});
