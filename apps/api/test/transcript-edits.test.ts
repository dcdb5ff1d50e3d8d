import { createId } from '@studymate/contracts/ids';
import type { EditTranscript, SegmentChange } from '@studymate/contracts/transcript-edit';
import { testRedisUrl } from '@studymate/queue/testing';
import { createKeyStore } from '@studymate/storage/key-store';
import { transcriptEditKey, transcriptKey } from '@studymate/storage/lecture-keys';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { embedTexts, startEmbeddingWorker } from './support/embedding-worker.ts';
import { finishLecture, makeLecture, toRef } from './support/made-lecture.ts';
import { makeSearchableLecture, toTranscript } from './support/searchable.ts';
import { listen } from './support/sse.ts';
import { startTestApi, type TestApi } from './support/test-api.ts';

let t: TestApi;
let worker: ReturnType<typeof startEmbeddingWorker>;
beforeAll(async () => {
  const redisUrl = testRedisUrl();
  t = await startTestApi({ redisUrl });
  worker = startEmbeddingWorker({ redisUrl, prefix: t.config.redis.prefix, answer: embedTexts });
});
afterAll(async () => {
  await worker?.close();
  await t?.close();
});

const heard = ['The missile type was cast of metal.', 'The press gave copies.', 'Thank you for watching.'];
const make = (changes = {}) => makeSearchableLecture(t, heard, changes);
const textOf = async (id: string, version?: number) =>
  (await t.client.getTranscript(id, version === undefined ? {} : { version })).segments.map(({ text }) => text);
const send = (id: string, method: string, path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${t.url}/api/v1/lectures/${id}/transcript${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
const codeOf = async (response: Response) =>
  `${response.status} ${((await response.json()) as { error: { code: string } }).error.code}`;

describe('a correction', () => {
  test('is one more version: shown everywhere, with the machine text beside it', async () => {
    const { id, version } = await make();
    expect(await t.client.getTranscript(id)).toMatchObject({ version: 0 });
    const edited = await t.client.editTranscript(id, [
      { id: 0, text: 'The missal type was cast of metal.' },
      { id: 2, text: '' },
    ]);
    expect(edited.version).toBe(1);
    expect(edited.segments.map(({ id: segment, text, flags }) => [segment, text, flags])).toEqual([
      [0, 'The missal type was cast of metal.', ['edited']],
      [2, '', ['edited']],
    ]);
    const response = await fetch(`${t.url}/api/v1/lectures/${id}/transcript`);
    expect(response.headers.get('etag')).toBe('"1-1"');
    const transcript = await t.client.getTranscript(id);
    expect(transcript).toMatchObject({ version: 1, text: 'The missal type was cast of metal. The press gave copies.' });
    expect(transcript.segments[0]?.words[1]).toMatchObject({ word: 'missal', probability: 1 });
    expect(transcript.segments[2]).toMatchObject({ id: 2, text: '', words: [] });
    expect(await t.client.getPartialTranscript(id)).toMatchObject({ version: 1, complete: true });
    for (const format of ['text', 'srt', 'vtt']) {
      const file = await t.client.getExport(id, 'transcript', format);
      expect(file).toContain('missal');
      expect(file).not.toMatch(/missile|watching/);
    }
    expect(await textOf(id, 0)).toEqual(heard);
    expect(await t.client.getLecture(id)).toMatchObject({ transcriptVersion: 1, version: version + 1 });
    const archive = await (await t.client.exportAll()).text();
    expect(archive).toContain('The missal type was cast');
    expect(archive).toContain('corrections.json');
    expect(archive).toContain(`"from": "${heard[0]}"`);
  });

  test('that changes nothing is no version; null takes up what the machine has heard', async () => {
    const { id } = await make();
    expect((await t.client.editTranscript(id, [{ id: 1, text: ' The press  gave copies.\n' }])).version).toBe(0);
    await t.client.editTranscript(id, [{ id: 1, text: 'The press gave many copies.' }]);
    const again = await t.client.editTranscript(id, [{ id: 1, text: 'The press gave many copies.' }]);
    expect(again).toMatchObject({ version: 1, segments: [{ id: 1, flags: ['edited'] }] });
    const back = await t.client.editTranscript(id, [{ id: 1, text: null }]);
    expect(back).toMatchObject({ version: 2, segments: [{ text: heard[1], flags: [] }] });
    expect(await textOf(id)).toEqual(heard);
  });

  test('tells those who follow the lecture', async () => {
    const { id } = await makeLecture(t);
    await finishLecture(t, id, { assemble: toTranscript(heard) });
    // Its study stages are still waited for.
    const url = `${t.url}/api/v1/lectures/${id}/events`;
    const follower = await listen(url);
    await follower.next(({ name }) => name === 'segments');
    await t.client.editTranscript(id, [{ id: 0, text: 'The missal type.' }]);
    const told = await follower.next(({ name }) => name === 'lecture');
    expect(told.data).toEqual({ changes: { transcriptVersion: 1, version: 3 } });
    const late = await listen(url);
    const { data } = await late.next(({ name }) => name === 'segments');
    expect(data.segments[0].text).toBe('The missal type.');
    follower.leave();
    late.leave();
  });

  test('of two with the same If-Match one is made; without it both are', async () => {
    const { id } = await make();
    const both = await Promise.all(
      ['one', 'two'].map((text) => send(id, 'PATCH', '', { segments: [{ id: 0, text }] }, { 'if-match': '"0"' })),
    );
    expect(both.map(({ status }) => status).sort()).toEqual([200, 412]);
    const refused = both.find(({ status }) => status === 412) as Response;
    expect(await codeOf(refused)).toBe('412 version_mismatch');
    await Promise.all([
      t.client.editTranscript(id, [{ id: 1, text: 'left' }]),
      t.client.editTranscript(id, [{ id: 2, text: 'right' }]),
    ]);
    expect((await textOf(id)).slice(1)).toEqual(['left', 'right']);
    await expect(t.client.editTranscript(id, [{ id: 1, text: 'late' }], { version: 1 })).rejects.toMatchObject({
      code: 'version_mismatch',
      status: 412,
    });
    const now = await t.client.editTranscript(id, [{ id: 1, text: 'in time' }], { version: 3 });
    expect(now.version).toBe(4);
    // As it comes through a gateway that compresses.
    const weak = await send(id, 'PATCH', '', { segments: [{ id: 1, text: 'weak' }] }, { 'if-match': 'W/"4"' });
    expect([weak.status, weak.headers.get('etag')]).toEqual([200, '"5-1"']);
  });

  test.for([
    ['of no segment', []],
    ['of one that there is not', [{ id: 3, text: 'x' }]],
    [
      'of one twice',
      [
        { id: 0, text: 'x' },
        { id: 0, text: 'y' },
      ],
    ],
    ['without a text', [{ id: 0 }]],
    ['that is too long', [{ id: 0, text: 'x'.repeat(5_001) }]],
    ['that is too long for nine seconds', [{ id: 0, text: 'x'.repeat(651) }]],
    ['with control characters', [{ id: 0, text: 'a\u0000b' }]],
    ['with half a character', [{ id: 0, text: '\ud800' }]],
  ] as const)('%s is refused, and nothing is kept', async ([, segments]) => {
    const { id } = await make();
    expect(await codeOf(await send(id, 'PATCH', '', { segments }))).toBe('400 invalid_request');
    expect(await t.client.getLecture(id)).toMatchObject({ transcriptVersion: 0, version: 2 });
  });

  test('before there is a transcript is refused with what is missing', async () => {
    const { id } = await makeLecture(t);
    expect(await codeOf(await send(id, 'PATCH', '', { segments: [{ id: 0, text: 'x' }] }))).toBe('409 not_ready');
    expect(await codeOf(await send(id, 'POST', '/restore', { version: 0 }))).toBe('409 not_ready');
    await expect(t.client.listTranscriptVersions(id)).rejects.toMatchObject({ code: 'not_ready' });
  });

  test('of a text that is heard anew is there where the machine says the same, and nowhere else', async () => {
    const { id } = await make();
    await t.client.editTranscript(id, [
      { id: 0, text: 'The missal type.' },
      { id: 1, text: 'The press gave many copies.' },
    ]);
    const [first = '', ...rest] = heard;
    const content = toTranscript([first.replace('missile', 'mistle'), ...rest]);
    await t.artifacts.createArtifact(transcriptKey(id, 2), { schemaVersion: 1, content });
    await t.lectures.update(id, (record) => ({
      ...record,
      attempts: { assemble: 2 },
      artifacts: { ...record.artifacts, assemble: toRef(transcriptKey(id, 2), 2) },
    }));
    expect(await textOf(id)).toEqual([
      'The mistle type was cast of metal.',
      'The press gave many copies.',
      'Thank you for watching.',
    ]);
    const versions = await t.client.listTranscriptVersions(id);
    expect(versions.map(({ changedSegments }) => changedSegments)).toEqual([1, 0]);
  });

  test('that names its moment is refused where another segment has that number by now, or none', async () => {
    const { id } = await make();
    const before = (await t.client.getTranscript(id)).segments;
    const [, { start, end } = { start: 0, end: 0 }, last] = before;
    const edit = (segments: EditTranscript['segments']) => t.client.editTranscript(id, segments, { version: 0 });
    await t.artifacts.createArtifact(transcriptKey(id, 2), {
      schemaVersion: 1,
      content: toTranscript([`${heard[0]} ${heard[1]}`, heard[2] ?? '']),
    });
    await t.lectures.update(id, (record) => ({
      ...record,
      attempts: { assemble: 2 },
      artifacts: { ...record.artifacts, assemble: toRef(transcriptKey(id, 2), 2) },
    }));
    for (const segment of [
      { id: 0, text: 'x', start: 0, end: 5 },
      { id: 1, text: 'x', start: start - 1 },
      { id: 2, text: 'x', start: last?.start, end: last?.end },
    ]) {
      await expect(edit([segment])).rejects.toMatchObject({ code: 'version_mismatch', status: 412 });
    }
    expect(await edit([{ id: 1, text: 'x', start: start + 0.004, end }])).toMatchObject({ version: 1 });
  });

  test('that comes fifty times at once is made fifty times, one after the other', async () => {
    const { id } = await make();
    await Promise.all(
      Array.from({ length: 50 }, (_, i) => t.client.editTranscript(id, [{ id: i % 3, text: `text ${i}` }])),
    );
    // Of two at once one would have to take another number, and decide on the whole transcript again.
    const versions = (await t.client.listTranscriptVersions(id)).map(({ version }) => version);
    expect(versions).toEqual(Array.from({ length: 51 }, (_, i) => 50 - i));
  });

  test('goes with the lecture', async () => {
    const { id } = await make();
    await t.client.editTranscript(id, [{ id: 0, text: 'x' }]);
    expect(await t.blobs.read(transcriptEditKey(id, 1))).not.toBeNull();
    await t.client.deleteLecture(id);
    expect((await t.listFiles()).filter((file) => file.includes(id) && !file.includes('records'))).toEqual([]);
  });
});

describe('versions', () => {
  test('are listed newest first down to the machine text, and an earlier one becomes a new one', async () => {
    const { id } = await make();
    await t.client.editTranscript(id, [{ id: 0, text: 'one' }]);
    await t.client.editTranscript(id, [{ id: 1, text: 'two' }]);
    const restored = await t.client.restoreTranscript(id, 1);
    expect(restored).toMatchObject({ version: 3, segments: [{ id: 1, text: heard[1], flags: [] }] });
    expect((await t.client.restoreTranscript(id, 0)).version).toBe(4);
    const versions = await t.client.listTranscriptVersions(id);
    expect(versions.map(({ createdAt: _, ...version }) => version)).toEqual([
      { version: 4, changedSegments: 0, restoredFrom: 0 },
      { version: 3, changedSegments: 1, restoredFrom: 1 },
      { version: 2, changedSegments: 2 },
      { version: 1, changedSegments: 1 },
      { version: 0, changedSegments: 0 },
    ]);
    expect(versions.at(-1)?.createdAt).toBe('2026-01-01T00:00:01.000Z');
    expect(await textOf(id, 2)).toEqual(['one', 'two', heard[2]]);
    expect(await textOf(id)).toEqual(heard);
    // The text that there is already.
    expect((await t.client.restoreTranscript(id, 0)).version).toBe(4);
  });

  test('whose newest is damaged: is said so, earlier ones can be read and restored, and the rest goes on', async () => {
    const courseId = createId();
    const { id } = await make({ courseId });
    await t.client.editTranscript(id, [{ id: 0, text: 'one' }]);
    await t.client.editTranscript(id, [{ id: 1, text: 'two' }]);
    await t.blobs.put(transcriptEditKey(id, 2), Buffer.from(''));
    await expect(t.client.getTranscript(id)).rejects.toMatchObject({ code: 'internal' });
    await expect(t.client.editTranscript(id, [{ id: 0, text: 'x' }])).rejects.toMatchObject({ code: 'internal' });
    expect(await textOf(id, 1)).toEqual(['one', heard[1], heard[2]]);
    expect((await t.client.listTranscriptVersions(id)).map(({ version }) => version)).toEqual([1, 0]);
    const follower = await listen(`${t.url}/api/v1/lectures/${id}/events`);
    await follower.ended;
    expect(follower.seen.map(({ name }) => name)).toEqual(['snapshot', 'segments', 'end']);
    const { results } = await t.client.search({ q: 'missile', mode: 'keyword', courseId });
    expect(results[0]?.text).toContain('missile type');
    const restored = await t.client.restoreTranscript(id, 0);
    expect(restored.version).toBe(3);
    expect(restored.segments.map(({ text }) => text)).toEqual(heard);
    expect((await t.client.restoreTranscript(id, 1)).version).toBe(4);
    expect(await textOf(id)).toEqual(['one', heard[1], heard[2]]);
  });

  test.for(['', '%20', '1.0', '-1', '0x1', '1e1'])('asked for as "%s" are refused', async (version) => {
    const { id } = await make();
    const response = await fetch(`${t.url}/api/v1/lectures/${id}/transcript?version=${version}`);
    expect(await codeOf(response)).toBe('400 invalid_request');
  });

  test('that are none are 404, also one that is just being saved; another If-Match is 412', async () => {
    const { id } = await make();
    const changes: SegmentChange[] = [{ id: 0, start: 0, from: heard[0] ?? '', text: 'never said' }];
    const info = { version: 1, createdAt: new Date().toISOString(), changedSegments: 1 };
    await t.artifacts.createArtifact(transcriptEditKey(id, 1), { schemaVersion: 1, changes, versions: [info] });
    for (const version of [1, 7]) {
      await expect(t.client.getTranscript(id, { version })).rejects.toMatchObject({ code: 'not_found' });
      await expect(t.client.restoreTranscript(id, version)).rejects.toMatchObject({ code: 'not_found' });
    }
    expect((await t.client.editTranscript(id, [{ id: 0, text: 'said' }])).version).toBe(2);
    await expect(t.client.restoreTranscript(id, 0, { version: 0 })).rejects.toMatchObject({ code: 'version_mismatch' });
    expect(await codeOf(await send(id, 'POST', '/restore', { version: 'x' }))).toBe('400 invalid_request');
  });
});

describe('search and questions', () => {
  const printing = [
    'The missile type was cast of metal in the fifteenth century.',
    'The press gave many copies of one page.',
    'Gutenberg printed a Bible of forty-two lines.',
    'Paper came from mills that beat rags to pulp.',
    'The first books were printed in black letter.',
    'Roman letters came from Italy.',
  ];
  const find = async (q: string, courseId: string) =>
    (await t.client.search({ q, mode: 'keyword', courseId })).results.map(({ text }) => text);

  test.for([
    ['with a search index', {}],
    ['of an earlier StudyMate, without an index', { isOld: true }],
  ] as const)('of a lecture %s: find the new word at once, and the old one no more', async ([, made]) => {
    const courseId = createId();
    const { id } = await makeSearchableLecture(t, printing, { courseId, ...made });
    expect(await find('missile', courseId)).toHaveLength(1);
    await t.client.editTranscript(id, [
      { id: 0, text: 'The missal type was cast of metal in the fifteenth century.' },
      { id: 5, text: '' },
    ]);
    expect(await find('missal', courseId)).toEqual([expect.stringContaining('missal type')]);
    expect((await find('missile', courseId)).join()).not.toContain('missile');
    expect(await find('Italy', courseId)).toEqual([]);
    await t.client.restoreTranscript(id, 0);
    expect(await find('missile', courseId)).toEqual([expect.stringContaining('missile type')]);
    expect(await find('missal', courseId)).not.toContainEqual(expect.stringContaining('missal'));
  });

  test('show the corrected words at their moment, also those that were found by meaning', async () => {
    const courseId = createId();
    const { id } = await makeSearchableLecture(t, printing, { courseId });
    const before = await t.client.search({ q: 'gutenberg bible lines', mode: 'hybrid', courseId });
    await t.client.editTranscript(id, [{ id: 2, text: 'Gutenberg printed a Bible of 42 lines.' }]);
    const after = await t.client.search({ q: 'gutenberg bible lines', mode: 'hybrid', courseId });
    expect(after.mode).toBe('hybrid');
    expect(after.results[0]?.text).toContain('a Bible of 42 lines');
    const { startSeconds, endSeconds, chapterTitle } = before.results[0] ?? {};
    expect(after.results[0]).toMatchObject({ startSeconds, endSeconds, chapterTitle });
    const asked = await t.client.ask({ question: 'Who printed a Bible of 42 lines?', courseId });
    expect(asked.passages[0]?.text).toContain('42 lines');
    for (const { text } of asked.passages) expect(text).not.toContain('forty-two');
  });

  test('while the study parts are made again search the corrected text, and not what the machine heard', async () => {
    const courseId = createId();
    const { id } = await makeSearchableLecture(t, printing, { courseId });
    await t.client.editTranscript(id, [{ id: 0, text: 'The missal type was cast.' }]);
    await t.client.retryStage(id, 'study');
    expect(await find('missal', courseId)).toHaveLength(1);
    expect((await find('missile', courseId)).join()).not.toContain('missile');
  });
});

describe('the study parts', () => {
  test('say which version they were made of; a retry of all of them reads the newest', async () => {
    const { id } = await make();
    await t.client.editTranscript(id, [{ id: 0, text: 'The missal type.' }]);
    const before = await t.client.getLecture(id);
    expect(before.stages.map(({ transcriptVersion }) => transcriptVersion)).toEqual([
      ...Array(3).fill(undefined),
      ...Array(4).fill(0),
    ]);
    const again = await t.client.retryStage(id, 'study');
    expect(again.stages.slice(0, 3).map(({ status }) => status)).toEqual(Array(3).fill('done'));
    expect(again.stages.slice(3).map(({ status }) => status)).toEqual(Array(4).fill('queued'));
    const record = await t.lectures.read(id);
    expect(record?.studiedVersions).toEqual({ chapters: 1, topics: 1, summary: 1, flashcards: 1 });
    await t.client.cancelLecture(id);
  });
});

test('a member of the course reads the corrections, makes none, and sees no other version', async () => {
  const keyed = await startTestApi({ redisUrl: testRedisUrl(), env: { AUTH: 'keys' } });
  try {
    const keys = createKeyStore(keyed);
    const [ada, bob] = await Promise.all(
      ['ada', 'bob'].map(async (owner) => keyed.clientFor((await keys.create({ owner, label: '' })).key)),
    );
    const course = await ada?.createCourse('Printing');
    const courseId = course?.id ?? '';
    await ada?.addMember(courseId, 'bob');
    const { id } = await makeSearchableLecture(keyed, heard, { owner: 'ada', courseId });
    await ada?.editTranscript(id, [{ id: 0, text: 'The missal type.' }]);
    expect((await bob?.getTranscript(id))?.segments[0]?.text).toBe('The missal type.');
    expect((await bob?.getTranscript(id, { version: 1 }))?.version).toBe(1);
    expect((await ada?.getTranscript(id, { version: 0 }))?.segments[0]?.text).toBe(heard[0]);
    await expect(bob?.getTranscript(id, { version: 0 })).rejects.toMatchObject({ code: 'forbidden' });
    await expect(bob?.listTranscriptVersions(id)).rejects.toMatchObject({ code: 'forbidden' });
    await expect(bob?.editTranscript(id, [{ id: 0, text: 'x' }])).rejects.toMatchObject({ code: 'forbidden' });
    await expect(bob?.restoreTranscript(id, 0)).rejects.toMatchObject({ code: 'forbidden' });
  } finally {
    await keyed.close();
  }
});
