import { createId } from '@studymate/contracts/ids';
import type { SearchResponse } from '@studymate/contracts/search';
import { testRedisUrl } from '@studymate/queue/testing';
import { createCourseStore } from '@studymate/storage/course-store';
import { courseRecordKey, passagesKey, searchIndexKey, studyArtifactKey } from '@studymate/storage/lecture-keys';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type EmbedTexts, embedTexts, startEmbeddingWorker } from './support/embedding-worker.ts';
import { cutChunk, makeLecture, writeChunk } from './support/made-lecture.ts';
import { makeSearchableLecture } from './support/searchable.ts';
import { startTestApi, type TestApi, until } from './support/test-api.ts';

let answer: EmbedTexts;
let t: TestApi;
let worker: ReturnType<typeof startEmbeddingWorker>;
beforeAll(async () => {
  const redisUrl = testRedisUrl();
  t = await startTestApi({ redisUrl });
  worker = startEmbeddingWorker({ redisUrl, prefix: t.config.redis.prefix, answer: (texts) => answer(texts) });
});
afterAll(async () => {
  await worker?.close();
  await t?.close();
});
beforeEach(() => {
  answer = embedTexts;
});

const find = async (query: Record<string, string>): Promise<SearchResponse> => {
  const response = await fetch(`${t.url}/api/v1/search?${new URLSearchParams(query)}`);
  expect(response.status).toBe(200);
  return (await response.json()) as SearchResponse;
};
const refusal = async (query: Record<string, string>): Promise<string> => {
  const response = await fetch(`${t.url}/api/v1/search?${new URLSearchParams(query)}`);
  return `${response.status} ${((await response.json()) as { error: { code: string } }).error.code}`;
};

const printing = [
  'Movable type was cast of metal in the fifteenth century.',
  'The press gave many copies of one page.',
  'Gutenberg printed a Bible of forty-two lines.',
  'Paper came from mills that beat rags to pulp.',
  'The first books were printed in black letter.',
  'Roman letters came from Italy.',
];
const baking = [
  'Yeast raises the dough before the oven is hot.',
  'Kneading makes the gluten strong.',
  'Rye bread is dense and keeps for a week.',
  'A sourdough is raised by wild yeast.',
];

describe('a search', () => {
  test('by words: gives lecture, chapter, moment, text and where the words stand in it', async () => {
    const courseId = createId();
    const { id } = await makeSearchableLecture(t, printing, { title: 'A history of printing', courseId });
    await makeSearchableLecture(t, baking, { title: 'Bread', courseId });
    const { mode, results, lectures } = await find({ q: 'printed books', mode: 'keyword', courseId });
    expect({ mode, lectures: lectures.searched }).toEqual({ mode: 'keyword', lectures: 2 });
    expect(results[0]).toMatchObject({
      lectureId: id,
      title: 'A history of printing',
      courseId,
      chapterTitle: 'The rest',
    });
    expect(results[0]?.startSeconds).toBeGreaterThanOrEqual(30);
    expect(results[0]?.endSeconds).toBeGreaterThan(results[0]?.startSeconds ?? 0);
    const { text = '', highlights = [] } = results[0] ?? {};
    expect(highlights.map(({ from, to }) => text.slice(from, to))).toEqual(['books', 'printed']);
  });

  test('by meaning and by both: has what words alone have not found, and says how it was searched', async () => {
    const courseId = createId();
    const { id } = await makeSearchableLecture(t, baking, { courseId });
    const q = 'the the before is'; // Stop words have no place among the words, and one in the meaning.
    expect((await find({ q, mode: 'keyword', courseId })).results).toEqual([]);
    for (const mode of ['semantic', 'hybrid'] as const) {
      const found = await find({ q, mode, courseId });
      expect(found.mode).toBe(mode);
      expect(found.results[0]).toMatchObject({ lectureId: id, highlights: [] });
    }
  });

  test('over lectures in several languages: finds inflections of each in its own, and writing without spaces', async () => {
    const courseId = createId();
    const english = await makeSearchableLecture(t, ['Their letters were cast one by one.'], { courseId });
    const german = await makeSearchableLecture(t, ['Die Lettern wurden gegossen.'], { courseId, language: 'de' });
    const japanese = await makeSearchableLecture(t, ['活字印刷術の歴史について話します。'], {
      courseId,
      language: 'ja',
    });
    const find1 = async (q: string) => {
      const { results } = await find({ q, mode: 'keyword', courseId });
      return results.map(({ lectureId, text, highlights }) => [
        lectureId,
        ...highlights.map(({ from, to }) => text.slice(from, to)),
      ]);
    };
    expect((await find1('Letter')).sort()).toEqual(
      [
        [english.id, 'letters'],
        [german.id, 'Lettern'],
      ].sort(),
    );
    expect(await find1('印刷')).toMatchObject([[japanese.id, expect.stringContaining('印刷')]]);
    // A beginning, and a letter too many.
    expect(await find1('gegoss')).toEqual([[german.id, 'gegossen']]);
    expect(await find1('gegossenn ')).toEqual([[german.id, 'gegossen']]);
  });

  test('while no worker can say what the words mean: both ways become words, meaning alone is refused', async () => {
    const courseId = createId();
    await makeSearchableLecture(t, baking, { courseId });
    answer = async () => {
      throw new Error('no model');
    };
    const found = await find({ q: 'wild yeast today', courseId });
    expect(found.mode).toBe('keyword');
    expect(found.results).not.toEqual([]);
    expect(await refusal({ q: 'wild yeast today', mode: 'semantic', courseId })).toBe('503 model_loading');
  });

  test('with a model whose weights are others than those of the index: compares nothing', async () => {
    const courseId = createId();
    await makeSearchableLecture(t, baking, { courseId });
    answer = async (texts) => ({ ...((await embedTexts(texts)) as object), weights: 'model#99999999' });
    expect((await find({ q: 'gluten other weights', mode: 'semantic', courseId })).results).toEqual([]);
    expect((await find({ q: 'gluten of others', courseId })).results).not.toEqual([]);
  });

  test('of a lecture from before there was an index, or whose index is damaged: finds it by its words', async () => {
    const courseId = createId();
    const old = await makeSearchableLecture(t, printing, { courseId, isOld: true });
    const damaged = await makeSearchableLecture(t, baking, { courseId });
    await t.blobs.put(searchIndexKey(damaged.id, 1), Buffer.from('nonsense'));
    const found = await find({ q: 'Gutenberg', courseId });
    expect(found.results[0]).toMatchObject({ lectureId: old.id, chapterTitle: 'The beginning' });
    expect((await find({ q: 'kneading', courseId })).results[0]).toMatchObject({ lectureId: damaged.id });
  });
});

describe('what is damaged', () => {
  const zebras = ['A quagga is a zebra.', 'Zebras have stripes.', 'Nobody rides a zebra.'];

  test('passages: their lecture is left out, and the others are found', async () => {
    const courseId = createId();
    const damaged = await makeSearchableLecture(t, zebras, { courseId });
    const whole = await makeSearchableLecture(t, zebras, { courseId });
    await t.blobs.put(passagesKey(damaged.id, 1), Buffer.from('nonsense'));
    const { results } = await find({ q: 'quagga', mode: 'keyword', courseId });
    expect(results.map(({ lectureId }) => lectureId)).toEqual([whole.id]);
  });

  test('chapters: the moment has no chapter', async () => {
    const courseId = createId();
    const { id } = await makeSearchableLecture(t, zebras, { courseId });
    await t.blobs.put(studyArtifactKey(id, 'chapters', 1), Buffer.from('nonsense'));
    const { results } = await find({ q: 'quagga', mode: 'keyword', courseId });
    expect(results).toMatchObject([{ lectureId: id, chapterTitle: null }]);
  });

  test('a course that is shared with the caller: what is in it is left out', async () => {
    const courseId = createId();
    const own = await makeSearchableLecture(t, zebras);
    const courses = createCourseStore(t);
    const at = new Date(0).toISOString();
    await courses.create({ schemaVersion: 1, id: courseId, version: 1, owner: 'bob', title: 'Zebras', createdAt: at });
    await courses.addMember(courseId, 'local');
    const shared = await makeSearchableLecture(t, zebras, { owner: 'bob', courseId });
    const search = async () => {
      const { results } = await find({ q: 'quagga', mode: 'keyword' });
      return results.map(({ lectureId }) => lectureId).filter((id) => id === own.id || id === shared.id);
    };
    expect((await search()).sort()).toEqual([own.id, shared.id].sort());
    await t.blobs.put(courseRecordKey(courseId, 1), Buffer.from('nonsense'));
    expect(await search()).toEqual([own.id]);
    await courses.removeMember(courseId, 'local');
  });
});

describe('what changes', () => {
  test('an index that was made again, while the event is on its way: no row of the old one shows a passage of the new', async () => {
    const courseId = createId();
    const { id } = await makeSearchableLecture(t, ['An okapi has stripes.'], { courseId });
    expect((await find({ q: 'okapi', mode: 'keyword', courseId })).results).toHaveLength(1);
    const other = await makeSearchableLecture(t, ['A tapir has none.'], { courseId: createId() });
    for (const toKey of [searchIndexKey, passagesKey]) {
      await t.artifacts.createBytes(toKey(id, 2), (await t.blobs.read(toKey(other.id, 1))) ?? new Uint8Array());
    }
    await t.lectures.update(id, (record) => {
      const { chapters } = record.artifacts;
      if (!chapters) throw new Error('no chapters');
      return { ...record, artifacts: { ...record.artifacts, chapters: { ...chapters, attempt: 2 } } };
    });
    expect((await find({ q: 'okapi', mode: 'keyword', courseId })).results).toEqual([]);
    expect((await find({ q: 'tapir', mode: 'keyword', courseId })).results).toMatchObject([{ lectureId: id }]);
  });

  test('a lecture that is transcribed anew, while the event is on its way: nothing of the old text is shown', async () => {
    const courseId = createId();
    const { id } = await makeSearchableLecture(t, ['An okapi has stripes.'], { courseId, isOld: true });
    expect((await find({ q: 'okapi', mode: 'keyword', courseId })).results).toHaveLength(1);
    await t.lectures.update(id, (record) => ({
      ...record,
      attempts: { ...record.attempts, transcribe: 2 },
      artifacts: {},
    }));
    expect((await find({ q: 'okapi', mode: 'keyword', courseId })).results).toEqual([]);
  });

  test('a lecture that is being transcribed is found chunk by chunk', async () => {
    const courseId = createId();
    const { id } = await makeLecture(t, { courseId });
    await cutChunk(t, id, 0);
    await writeChunk(t, id, 0, ['Magma rises below the volcano.', 'Ash falls on the town.']);
    expect((await find({ q: 'magma', courseId })).results).toMatchObject([{ lectureId: id, chapterTitle: null }]);
    expect((await find({ q: 'tremors', courseId })).results).toEqual([]);
    await writeChunk(t, id, 1, ['Instruments record small tremors.']);
    await t.publisher.publishChunk(id, 1, 0, 2);
    await t.publisher.publishChunk(id, 1, 1, 1);
    const found = await until(async () => (await find({ q: 'tremors', courseId })).results[0], 'the second chunk');
    expect(found).toMatchObject({ lectureId: id });
    expect((await find({ q: 'magma', courseId })).results).toHaveLength(1);
  });

  test('a new lecture is found at once, a deleted one not any more, and one that was moved only where it is', async () => {
    const courseId = createId();
    const first = await makeSearchableLecture(t, printing, { courseId });
    expect((await find({ q: 'Gutenberg', courseId })).results).toHaveLength(1);
    const second = await makeSearchableLecture(t, printing, { courseId });
    expect((await find({ q: 'Gutenberg', courseId })).results).toHaveLength(2);
    await t.client.deleteLecture(first.id);
    expect((await find({ q: 'Gutenberg', courseId })).results).toMatchObject([{ lectureId: second.id }]);
    const elsewhere = (await t.client.createCourse('Elsewhere')).id;
    await t.client.changeLecture(second.id, { courseId: elsewhere, title: 'Moved' });
    expect((await find({ q: 'Gutenberg', courseId })).results).toEqual([]);
    const moved = () => find({ q: 'Gutenberg', courseId: elsewhere });
    const found = await until(async () => (await moved()).results[0], 'the lecture in its new course');
    expect(found).toMatchObject({ title: 'Moved' });
  });

  test('chapters made again: the new index counts', async () => {
    const courseId = createId();
    const { id } = await makeSearchableLecture(t, printing, { courseId, isOld: true });
    expect((await find({ q: 'zebra', courseId })).results).toEqual([]);
    const other = await makeSearchableLecture(t, ['A zebra was never printed.'], { courseId: createId() });
    const key = searchIndexKey(other.id, 1);
    await t.artifacts.createBytes(searchIndexKey(id, 2), (await t.blobs.read(key)) ?? new Uint8Array());
    const passages = await t.blobs.read(key.replace('search-index.bin', 'passages.json'));
    await t.blobs.put(searchIndexKey(id, 2).replace('search-index.bin', 'passages.json'), passages ?? Buffer.from(''));
    await t.lectures.update(id, (record) => {
      const { chapters } = record.artifacts;
      if (!chapters) throw new Error('no chapters');
      return { ...record, artifacts: { ...record.artifacts, chapters: { ...chapters, attempt: 2 } } };
    });
    await t.redis.publish(t.keys.wake, id);
    const found = await until(async () => (await find({ q: 'zebra', courseId })).results[0], 'the new index');
    expect(found).toMatchObject({ lectureId: id });
  });
});

describe('what is refused', () => {
  test.each([
    [{}, '400 invalid_request'],
    [{ q: '   ' }, '400 invalid_request'],
    [{ q: 'x'.repeat(501) }, '400 invalid_request'],
    [{ q: 'x', mode: 'magic' }, '400 invalid_request'],
    [{ q: 'x', limit: '51' }, '400 invalid_request'],
    [{ q: 'x', courseId: '../..' }, '400 invalid_request'],
    [{ q: 'x', lectureId: createId() }, '404 not_found'],
  ])('%j: %s', async (query, expected) => {
    expect(await refusal(query as Record<string, string>)).toBe(expected);
  });

  test('a lecture of a course that is shared with the caller is found, until it is shared no more', async () => {
    const courseId = createId();
    const at = new Date(0).toISOString();
    const courses = createCourseStore(t);
    await courses.create({ schemaVersion: 1, id: courseId, version: 1, owner: 'bob', title: 'Zoology', createdAt: at });
    await makeSearchableLecture(t, ['An okapi eats leaves.'], { owner: 'bob', courseId });
    await makeSearchableLecture(t, ['An okapi sleeps little.'], { owner: 'bob' });
    expect((await find({ q: 'okapi', mode: 'keyword' })).results).toEqual([]);
    await courses.addMember(courseId, 'local');
    const shared = await find({ q: 'okapi', mode: 'keyword' });
    expect(shared.results).toMatchObject([{ text: 'An okapi eats leaves.' }]);
    await courses.removeMember(courseId, 'local');
    expect((await find({ q: 'okapi', mode: 'keyword' })).results).toEqual([]);
  });

  test('a lecture of somebody else is not found, by any way', async () => {
    const { id } = await makeSearchableLecture(t, ['An axolotl swims by night.'], { owner: 'bob' });
    expect((await find({ q: 'axolotl', mode: 'keyword' })).results).toEqual([]);
    expect(await refusal({ q: 'axolotl', lectureId: id })).toBe('404 not_found');
  });
});
