import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createId } from '@studymate/contracts/ids';
import type { AskRequest, AskResponse, RelatedResponse } from '@studymate/contracts/search';
import { testRedisUrl } from '@studymate/queue/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type EmbedTexts, embedTexts, startEmbeddingWorker } from './support/embedding-worker.ts';
import { makeLecture } from './support/made-lecture.ts';
import { makeSearchableLecture } from './support/searchable.ts';
import { startTestApi, type TestApi } from './support/test-api.ts';

let answer: EmbedTexts;
let t: TestApi;
let worker: ReturnType<typeof startEmbeddingWorker>;
const courseId = createId();
let printing: string;
let baking: string;
beforeAll(async () => {
  const redisUrl = testRedisUrl();
  t = await startTestApi({ redisUrl });
  worker = startEmbeddingWorker({ redisUrl, prefix: t.config.redis.prefix, answer: (texts) => answer(texts) });
  const press = [
    'Movable type was cast of metal in the fifteenth century.',
    'The press gave many copies of one page.',
    'Gutenberg printed a Bible of forty-two lines at Mainz.',
    'Paper came from mills that beat rags to pulp.',
    'The first books were printed in black letter.',
    'Roman letters came from Italy.',
  ];
  const oven = [
    'Yeast raises the dough before the oven is hot.',
    'Kneading makes the gluten of the flour strong.',
    'Rye bread is dense and keeps for a week.',
    'Paper came from mills that beat rags to pulp, and flour from others.',
  ];
  printing = (await makeSearchableLecture(t, press, { title: 'Printing', courseId })).id;
  baking = (await makeSearchableLecture(t, oven, { title: 'Baking', courseId })).id;
});
afterAll(async () => {
  await worker?.close();
  await t?.close();
});
beforeEach(() => {
  answer = embedTexts;
});

const post = (body: unknown) =>
  fetch(`${t.url}/api/v1/ask`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
const ask = async (request: AskRequest): Promise<AskResponse> => {
  const response = await post(request);
  expect(response.status).toBe(200);
  return (await response.json()) as AskResponse;
};

describe('a question', () => {
  test('that a lecture answers: gives the passage and its moment, with a confidence, best first', async () => {
    const found = await ask({ question: 'Who printed a Bible of forty-two lines?', courseId });
    expect(found).toMatchObject({ answerable: true, mode: 'hybrid', lectures: { searched: 2 } });
    expect(found.passages[0]).toMatchObject({ lectureId: printing, title: 'Printing', courseId });
    expect(found.passages[0]?.text).toContain('Gutenberg');
    const scores = found.passages.map(({ score }) => score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    for (const score of scores) expect(score).toBeLessThanOrEqual(1);
  });

  test('that nothing answers: says so, and gives no passage', async () => {
    const found = await ask({ question: 'How do submarines navigate beneath Arctic ice?', courseId });
    expect(found).toMatchObject({ answerable: false, passages: [] });
  });

  test('of one lecture: is answered from that one alone', async () => {
    const question = 'Where did paper come from, mills that beat rags?';
    const [one, other] = [await ask({ question, lectureId: printing }), await ask({ question, lectureId: baking })];
    expect(one.passages.map(({ lectureId }) => lectureId)).toContain(printing);
    expect(new Set(other.passages.map(({ lectureId }) => lectureId))).toEqual(new Set([baking]));
  });

  test('while no worker answers: is answered by its words, and says so', async () => {
    answer = async () => {
      throw new Error('no model');
    };
    const found = await ask({ question: 'Which bread is dense, and keeps for a week? Rye?', courseId });
    expect(found).toMatchObject({ answerable: true, mode: 'keyword' });
    expect(found.passages[0]?.text).toContain('Rye');
  });

  test('that leans on the one before: is understood by it, in the same conversation of the same owner', async () => {
    const asked: string[] = [];
    answer = async (texts) => {
      asked.push(...texts);
      return embedTexts(texts);
    };
    const { conversationId } = await ask({ question: 'Who printed the Bible at Mainz?', courseId });
    const next = await ask({ question: 'And how many lines?', courseId, conversationId });
    expect(next.conversationId).toBe(conversationId);
    await ask({ question: 'Does kneading make the gluten of flour strong?', courseId, conversationId });
    await ask({ question: 'And how many lines has it?', courseId, conversationId: createId() });
    expect(asked).toEqual([
      'Who printed the Bible at Mainz?',
      'Who printed the Bible at Mainz? And how many lines?',
      'Does kneading make the gluten of flour strong?',
      'And how many lines has it?',
    ]);
  });

  test.each([
    [{}, 400],
    [{ question: ' ' }, 400],
    [{ question: 'x'.repeat(501) }, 400],
    [{ question: 'x', lectureId: createId(), courseId: createId() }, 400],
    [{ question: 'x', conversationId: 'nonsense' }, 400],
    [{ question: 'x', lectureId: createId() }, 404],
  ])('%j is refused with %i', async (body, status) => {
    expect((await post(body)).status).toBe(status);
  });
});

describe('a conversation', () => {
  test('is kept: its questions, and where their answers lie, but nothing that was said', async () => {
    const { conversationId, passages } = await ask({ question: 'Who printed the Bible at Mainz?', courseId });
    await ask({ question: 'And how many lines?', courseId, conversationId });
    const { turns } = await t.client.getConversation(conversationId);
    expect(turns).toMatchObject([
      { question: 'Who printed the Bible at Mainz?', answerable: true },
      { question: 'And how many lines?', understoodAs: 'Who printed the Bible at Mainz? And how many lines?' },
    ]);
    const [{ lectureId, startSeconds, endSeconds } = {}] = passages;
    expect(turns[0]?.passages[0]).toEqual({ lectureId, startSeconds, endSeconds });
    expect(JSON.stringify(turns)).not.toContain('Gutenberg');
    const { conversations } = await t.client.listConversations({ limit: 1 });
    expect(conversations).toMatchObject([
      { id: conversationId, questions: 2, last: { question: 'And how many lines?' } },
    ]);
    await t.client.deleteConversation(conversationId);
    await expect(t.client.getConversation(conversationId)).rejects.toMatchObject({ code: 'not_found' });
    await expect(t.client.deleteConversation('nonsense')).rejects.toMatchObject({ code: 'not_found' });
  });

  test('that cannot be kept: the question is answered all the same', async () => {
    const folder = path.join(t.config.dataDir, 'conversations/local');
    await rm(folder, { recursive: true });
    await writeFile(folder, 'a file where the folder would be');
    const conversationId = createId();
    for (const question of ['Who printed a Bible of forty-two lines?', 'And so on?']) {
      const found = await ask({ question, courseId, conversationId });
      expect(found).toMatchObject({ conversationId, mode: 'hybrid' });
    }
    await rm(folder);
  });
});

describe('related moments', () => {
  const related = async (lectureId: string, index: number | string) =>
    fetch(`${t.url}/api/v1/lectures/${lectureId}/chapters/${index}/related`);

  test("of a chapter: are of the course's other lectures, the likest first, and never of its own", async () => {
    const found = (await (await related(printing, 1)).json()) as RelatedResponse;
    expect(found.moments[0]).toMatchObject({ lectureId: baking, chapterTitle: 'The rest' });
    expect(found.moments.every(({ lectureId }) => lectureId !== printing)).toBe(true);
  });

  test('of a lecture without an index: are none', async () => {
    const { id } = await makeSearchableLecture(t, ['Nothing is known.'], { isOld: true, courseId });
    expect(await (await related(id, 0)).json()).toMatchObject({ moments: [] });
  });

  test('of what is not there, or not ready, or not mine: is refused', async () => {
    expect((await related(printing, 99)).status).toBe(404);
    expect((await related(printing, '-1')).status).toBe(404);
    expect((await related('nonsense', 0)).status).toBe(404);
    expect((await related((await makeLecture(t)).id, 0)).status).toBe(409);
    const bobs = await makeSearchableLecture(t, ['A secret.'], { owner: 'bob' });
    expect((await related(bobs.id, 0)).status).toBe(404);
  });
});
