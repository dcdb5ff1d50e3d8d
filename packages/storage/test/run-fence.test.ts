import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createArtifacts } from '../src/artifacts.ts';
import type { BlobStore } from '../src/blob-store.ts';
import { createFileBlobStore } from '../src/file-blob-store.ts';
import { runMarksPrefix } from '../src/lecture-keys.ts';
import { createFencedWriter, createRunFence } from '../src/run-fence.ts';

const lectureId = 'lecture';
const job = { stage: 'transcribe', attempt: 1, part: 3 } as const;
const refused = { code: 'superseded', retryable: false };

let rootDir: string;
let blobs: BlobStore;
beforeEach(async () => {
  rootDir = await mkdtemp(join(tmpdir(), 'studymate-fence-'));
  blobs = await createFileBlobStore({ rootDir });
});
afterEach(async () => {
  await blobs.close();
  await rm(rootDir, { recursive: true });
});

describe('a run', () => {
  test('that begins ends the right to write of the one before, and of no other part, stage, attempt or lecture', async () => {
    const fence = createRunFence({ blobs });
    const first = await fence.claim(lectureId, job);
    const others = [
      await fence.claim(lectureId, { ...job, part: 0 }),
      await fence.claim(lectureId, { ...job, stage: 'ingest' }),
      await fence.claim(lectureId, { ...job, attempt: 2 }),
      await fence.claim('other', job),
    ];
    await first.check();
    const second = await fence.claim(lectureId, job);
    expect([first.number, second.number]).toEqual([1, 2]);
    await expect(first.check()).rejects.toMatchObject(refused);
    for (const run of [second, ...others]) await run.check();
  });

  test('of many that begin at once over two stores: numbers are unlike, and only the last one may write', async () => {
    const otherBlobs = await createFileBlobStore({ rootDir });
    const fences = [createRunFence({ blobs }), createRunFence({ blobs: otherBlobs })];
    const runs = await Promise.all(Array.from({ length: 20 }, (_, i) => fences[i % 2]?.claim(lectureId, job)));
    const numbers = runs.map((run) => run?.number ?? 0);
    expect([...numbers].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    for (const run of runs) {
      if (run?.number === 20) await run.check();
      else await expect(run?.check()).rejects.toMatchObject(refused);
    }
    await otherBlobs.close();
  });

  test('whose lecture has ended may not write, also when a run begins under the same number again', async () => {
    const fence = createRunFence({ blobs });
    const late = await fence.claim(lectureId, job);
    await fence.endRuns({ id: lectureId, attempts: {} });
    expect(await blobs.list(runMarksPrefix(lectureId))).toEqual([]);
    await expect(late.check()).rejects.toMatchObject(refused);
    const again = await fence.claim(lectureId, job);
    expect(again.number).toBe(late.number);
    await expect(late.check()).rejects.toMatchObject(refused);
    await again.check();
  });

  test('of an attempt that a retry has begun keeps its right when the attempt before is ended', async () => {
    const fence = createRunFence({ blobs });
    const old = await fence.claim(lectureId, job);
    const retried = await fence.claim(lectureId, { ...job, attempt: 2 });
    await fence.endRuns({ id: lectureId, attempts: {} });
    await expect(old.check()).rejects.toMatchObject(refused);
    await retried.check();
    await fence.endRuns({ id: lectureId, attempts: { transcribe: 2 } });
    await expect(retried.check()).rejects.toMatchObject(refused);
  });

  test('that is released leaves nothing behind', async () => {
    const run = await createRunFence({ blobs }).claim(lectureId, job);
    await run.release();
    expect(await blobs.list('')).toEqual([]);
  });
});

test('a fenced writer: a late run writes nothing, and one that is overtaken in the middle of a write learns of it', async () => {
  const fence = createRunFence({ blobs });
  const artifacts = createArtifacts({ blobs });
  const late = await fence.claim(lectureId, job);
  const inTime = await fence.claim(lectureId, job);
  const writer = createFencedWriter(late, artifacts);
  await expect(writer.createArtifact('a/json', { a: 1 })).rejects.toMatchObject(refused);
  await expect(writer.createSamples('a/samples', new Int16Array(2))).rejects.toMatchObject(refused);
  await expect(writer.createFloats('a/floats', new Float32Array(2))).rejects.toMatchObject(refused);
  expect(await blobs.list('a/')).toEqual([]);

  const overtaken = createFencedWriter(inTime, {
    ...artifacts,
    async createArtifact(key, value) {
      await fence.claim(lectureId, job);
      return artifacts.createArtifact(key, value);
    },
  });
  await expect(overtaken.createArtifact('a/json', { a: 1 })).rejects.toMatchObject(refused);
});
