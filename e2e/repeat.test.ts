import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Segment } from '@studymate/contracts/transcript';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { excerpt } from './support/recordings.ts';
import { type RunningSystem, startSystem } from './support/running-system.ts';
import { until } from './support/until.ts';

let system: RunningSystem;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.close());

async function study(file: File) {
  const { client } = system;
  const { id } = await client.uploadLecture(file, { fresh: true });
  const streamed: Segment[] = [];
  for await (const event of client.followLecture(id)) if (event.type === 'segments') streamed.push(...event.segments);
  return { id, streamed, lecture: await client.getLecture(id) };
}

async function readParts(id: string) {
  const { client } = system;
  return Promise.all([client.getTranscript(id), client.getChapters(id), client.getTopics(id), client.getSummary(id)]);
}

/** How many pieces of work have used a model, as the worker counts them. */
async function countModelUses(): Promise<number> {
  const text = await (await fetch(`${system.workerUrl}/metrics`)).text();
  const counts = [...text.matchAll(/^requests_total\{.*\} (\d+)$/gm)].map((match) => Number(match[1]));
  expect(counts).not.toEqual([]);
  return counts.reduce((sum, count) => sum + count, 0);
}

const listNames = async (id: string) => {
  const dir = path.join(system.dataDir, 'lectures', id);
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const names = files.map((entry) => path.join(path.relative(dir, entry.parentPath), entry.name));
  return names.filter((name) => !name.startsWith('records')).sort();
};

test('the same recording uploaded again is a study set without any model, which outlives the first one', async () => {
  const file = await excerpt('printing.mp3', 0, 75);
  const first = await study(file);
  const parts = await readParts(first.id);
  const used = await countModelUses();

  const again = await study(file);
  expect(await countModelUses()).toBe(used);
  expect(again.lecture.status).toBe('ready');
  expect(again.lecture).toMatchObject({ language: 'en', durationSeconds: first.lecture.durationSeconds });
  expect(await readParts(again.id)).toEqual(parts);
  expect(again.streamed).toEqual(first.streamed);
  const shown = again.lecture.stages.filter((stage) => stage.name !== 'assemble');
  for (const stage of shown) expect(stage).toMatchObject({ status: 'done', progress: 1, cold: null, reused: true });
  expect(first.lecture.stages.filter((stage) => stage.reused)).toEqual([]);
  expect(await listNames(again.id)).toEqual(await listNames(first.id));
  const metrics = await (await fetch(`${system.workerUrl}/metrics`)).text();
  expect(metrics).toMatch(/^jobs_reused_total\{[^}]*stage="ingest"[^}]*\} 1$/m);

  await system.client.deleteLecture(first.id);
  expect(await readParts(again.id)).toEqual(parts);
  const embeddings = (await listNames(again.id)).find((name) => name.endsWith('.f32'));
  expect((await readFile(path.join(system.dataDir, 'lectures', again.id, embeddings ?? ''))).length).toBeGreaterThan(0);

  // In another language it is another piece of work.
  const { client } = system;
  const { id } = await client.uploadLecture(file, { language: 'de' });
  for await (const event of client.followLecture(id)) if (event.type === 'segments') break;
  expect(await countModelUses()).toBeGreaterThan(used);
  await client.cancelLecture(id);
});

test('a corrected transcript: study parts that are made again have the new word, and another upload has neither', async () => {
  const { client } = system;
  const file = await excerpt('printing.mp3', 0, 75);
  const { id } = await study(file);
  const before = await readParts(id);
  const [transcript, chapters] = before;
  const metal = transcript.segments.filter(({ text }) => /movable metal letters/i.test(text));
  expect(metal).toHaveLength(1);
  // Nothing is corrected but this: a press that nobody has heard of.
  const corrections = transcript.segments.map(({ id: segment, text }) => ({
    id: segment,
    text: text.replace(/\bprinting\b/g, 'zincography').replace(/\bmovable metal letters\b/i, 'plates of zinc'),
  }));
  const { version } = await client.editTranscript(id, corrections);
  expect(version).toBe(1);
  const find = async (q: string) => (await client.search({ q, mode: 'keyword', lectureId: id })).results;
  expect((await find('zincography')).length).toBeGreaterThan(0);
  expect((await find('"movable metal"')).map(({ text }) => text).join()).not.toMatch(/movable metal/i);
  expect(await client.getChapters(id)).toEqual(chapters);

  await client.retryStage(id, 'study');
  const lecture = await client.waitForLecture(id);
  expect(lecture).toMatchObject({ status: 'ready', transcriptVersion: 1 });
  expect(lecture.stages.slice(3).map((stage) => stage.transcriptVersion)).toEqual([1, 1, 1, 1]);
  expect(lecture.stages.filter((stage) => stage.reused).map(({ name }) => name)).not.toContain('summary');
  const after = await readParts(id);
  expect(JSON.stringify(after.slice(1))).toMatch(/zincography/i);
  expect(JSON.stringify(after)).not.toMatch(/movable metal letters/i);
  const found = await client.search({ q: 'plates of zinc', mode: 'semantic', lectureId: id });
  expect(found.results[0]?.text).toContain('plates of zinc');
  // Of the embeddings only those of the new sentences are left, by which questions are answered. The lecture may be seen to
  // have ended before the worker has tidied up.
  const listEmbeddings = async () => (await listNames(id)).filter((name) => name.endsWith('.f32'));
  await until('one file of embeddings', async () => (await listEmbeddings()).length === 1);
  const asked = await client.ask({ question: 'What were plates made of?', lectureId: id });
  expect(asked).toMatchObject({ answerable: true, mode: 'hybrid' });

  const other = await study(file);
  expect(await readParts(other.id)).toEqual(before);
});
