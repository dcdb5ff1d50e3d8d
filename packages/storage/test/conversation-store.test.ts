import { rm } from 'node:fs/promises';
import type { ConversationTurn } from '@studymate/contracts/conversation';
import { createId } from '@studymate/contracts/ids';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { BlobStore } from '../src/blob-store.ts';
import { createConversationStore, keptTurns } from '../src/conversation-store.ts';
import { createFileBlobStore } from '../src/file-blob-store.ts';
import { conversationTurnKey } from '../src/lecture-keys.ts';
import { makeRoot } from './support/fixtures.ts';

let root: string;
let blobs: BlobStore;
beforeEach(async () => {
  root = await makeRoot();
  blobs = await createFileBlobStore({ rootDir: root });
});
afterEach(async () => {
  await blobs.close();
  await rm(root, { recursive: true, force: true });
});

const turn = (question: string): ConversationTurn => ({
  ...{ question, understoodAs: question, answerable: true },
  passages: [{ lectureId: createId(), startSeconds: 1, endSeconds: 2 }],
  askedAt: new Date(0).toISOString(),
});
const begin = (minute: number) => createId(minute * 60_000);

test('a conversation: has its questions in their order, for its owner alone', async () => {
  const store = createConversationStore({ blobs });
  const [first, second] = [begin(1), begin(2)];
  await store.add('ada@school.example', first, turn('Who?'));
  await store.add('ada@school.example', second, turn('What?'));
  await store.add('ada@school.example', first, turn('And when?'));
  expect((await store.read('ada@school.example', first)).map(({ question }) => question)).toEqual([
    'Who?',
    'And when?',
  ]);
  expect(await store.readLast('ada@school.example', first)).toMatchObject({ question: 'And when?' });
  const listed = await store.list('ada@school.example', 10);
  expect(listed).toMatchObject([
    { id: second, questions: 1, last: { question: 'What?' } },
    { id: first, questions: 2, last: { question: 'And when?' } },
  ]);
  expect(await store.list('ada@school.example', 1)).toEqual(listed.slice(0, 1));
  expect(await store.readAll('ada@school.example')).toMatchObject([
    { id: first, turns: [{ question: 'Who?' }, { question: 'And when?' }] },
    { id: second, turns: [{ question: 'What?' }] },
  ]);
  const ofBen = [store.read('ben', first), store.readLast('ben', first), store.list('ben', 10), store.readAll('ben')];
  expect(await Promise.all(ofBen)).toEqual([[], null, [], []]);
  expect(await store.delete('ben', first)).toBe(false);
  expect(await store.delete('ada@school.example', first)).toBe(true);
  expect(await store.list('ada@school.example', 10)).toMatchObject([{ id: second, questions: 1 }]);
});

test('many conversations: are listed, and all read, with one look at the folder', async () => {
  let looks = 0;
  const list: BlobStore['list'] = (prefix) => {
    looks++;
    return blobs.list(prefix);
  };
  for (let i = 0; i < 12; i++) await createConversationStore({ blobs }).add('ada', begin(i), turn(`Question ${i}`));
  const store = createConversationStore({ blobs: { ...blobs, list } });
  expect((await store.list('ada', 100)).map(({ last }) => last?.question)).toEqual(
    Array.from({ length: 12 }, (_, i) => `Question ${11 - i}`),
  );
  expect(looks).toBe(1);
  expect(await store.readAll('ada')).toHaveLength(12);
  expect(looks).toBe(2);
});

test('questions of one conversation at once: each is kept', async () => {
  const stores = Array.from({ length: 4 }, () => createConversationStore({ blobs }));
  const id = begin(1);
  await Promise.all(stores.map((store, i) => store.add('ada', id, turn(`Question ${i}`))));
  expect(await stores[0]?.read('ada', id)).toHaveLength(4);
});

test('too many of an owner: those of the conversations that were begun first go, and no one else’s', async () => {
  const store = createConversationStore({ blobs });
  const [old, ben] = [begin(1), begin(0)];
  for (const question of ['One?', 'Two?']) await store.add('ada', old, turn(question));
  await store.add('ben', ben, turn('Mine?'));
  for (let i = 2; i < keptTurns; i++) await blobs.create(conversationTurnKey('ada', begin(2), i), Buffer.from('{}'));
  await store.add('ada', begin(3), turn('Three?'));
  expect((await store.read('ada', old)).map(({ question }) => question)).toEqual(['Two?']);
  await store.add('ada', old, turn('Four?'));
  expect((await store.read('ada', old)).map(({ question }) => question)).toEqual(['Two?', 'Four?']);
  expect((await store.list('ada', keptTurns)).reduce((sum, { questions }) => sum + questions, 0)).toBe(keptTurns);
  expect(await store.read('ben', ben)).toHaveLength(1);
});

test('a damaged question: is left out', async () => {
  const store = createConversationStore({ blobs });
  const id = begin(1);
  await store.add('ada', id, turn('Who?'));
  await blobs.create(conversationTurnKey('ada', id, 2), Buffer.from('nonsense'));
  expect((await store.read('ada', id)).map(({ question }) => question)).toEqual(['Who?']);
});
