import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createStudyProcess, type StudyProcess } from '../src/study-process/study-process.ts';

let dir: string;
let study: StudyProcess;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'studymate-study-process-'));
  const program = path.join(dir, 'study-process.mjs');
  const entry = new URL('../src/study-process/main.ts', import.meta.url).pathname;
  const banner = { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" };
  await build({ entryPoints: [entry], outfile: program, bundle: true, platform: 'node', format: 'esm', banner });
  study = createStudyProcess({ path: program });
});
afterAll(async () => {
  await study.close();
  await rm(dir, { recursive: true });
});

const never = new AbortController().signal;
const documents = ['Boil the pasta in salted water.', 'Stars are born in clouds of gas.'];
const embeddings = { dimensions: 2, vectors: Float32Array.from([1, 0, 0, 1]) };

test('the main loop goes on while the process works through a long text', async () => {
  const sentences = Array.from(
    { length: 1_500 },
    (_, i) => `Sentence ${i} tells of matter ${i % 97} and of ${i % 31}.`,
  );
  const vectors = new Float32Array(sentences.length * 2).fill(Math.SQRT1_2);
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await study.run('chaptersOfSentences', { sentences, embeddings: { dimensions: 2, vectors } }, never);
  clearInterval(timer);
  expect(turns).toBeGreaterThan(10);
});

test('work that is cancelled gives its caller back at once, and what stands behind it is still done', async () => {
  const controller = new AbortController();
  const cancelled = study.run('topicsOfDocuments', { documents, embeddings }, controller.signal);
  const next = study.run('topicsOfDocuments', { documents, embeddings, topicCount: 2 }, never);
  controller.abort();
  await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });
  expect((await next).topics).toHaveLength(2);
});

test('an error of an algorithm comes back as an error, and the process lives on', async () => {
  const broken = { documents: null as unknown as string[], embeddings };
  await expect(study.run('topicsOfDocuments', broken, never)).rejects.toMatchObject({ code: 'internal' });
  expect((await study.run('topicsOfDocuments', { documents, embeddings, topicCount: 2 }, never)).assignments).toEqual(
    expect.arrayContaining([0, 1]),
  );
});

test('a process that is kept runs before there is work, and is there for the first', async () => {
  const kept = createStudyProcess({ path: path.join(dir, 'study-process.mjs') });
  const countProcesses = () => process.getActiveResourcesInfo().filter((name) => name === 'ProcessWrap').length;
  const before = countProcesses();
  kept.keep();
  expect(countProcesses()).toBe(before + 1);
  expect((await kept.run('topicsOfDocuments', { documents, embeddings, topicCount: 2 }, never)).topics).toHaveLength(2);
  expect(countProcesses()).toBe(before + 1);
  await kept.close();
});
