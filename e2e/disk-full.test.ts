import { execFile } from 'node:child_process';
import { mkdtemp, open, readdir, rm, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Lecture } from '@studymate/contracts/lecture';
import { studyStageNames } from '@studymate/contracts/stages';
import type { BlobStore } from '@studymate/storage/blob-store';
import { createFileBlobStore } from '@studymate/storage/file-blob-store';
import { lecturePrefix } from '@studymate/storage/lecture-keys';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { excerpt } from './support/recordings.ts';
import { type RunningSystem, startSystem } from './support/running-system.ts';

const run = promisify(execFile);

/** A disk of its own for the data: in memory, small, and really full when it is. Needs the right to mount. */
const diskDir = await mkdtemp(path.join(tmpdir(), 'studymate-disk-'));
const isMounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', diskDir]).then(
  () => true,
  () => false,
);
afterAll(async () => {
  if (isMounted) await run('umount', [diskDir]);
  await rm(diskDir, { recursive: true });
});

const fillerPath = path.join(diskDir, '~filler');

/** Leaves room for so many bytes and no more. */
async function leaveRoom(bytes: number): Promise<void> {
  await makeRoom();
  const { bavail, bsize } = await statfs(diskDir);
  const file = await open(fillerPath, 'w');
  try {
    const block = Buffer.alloc(64 * 1024);
    for (let left = bavail * bsize - bytes; left > 0; left -= block.length) {
      await file.write(block, 0, Math.min(left, block.length));
    }
  } finally {
    await file.close();
  }
}

const makeRoom = () => rm(fillerPath, { force: true });

const listUnfinished = () => readdir(path.join(diskDir, '~tmp'));

describe.skipIf(!isMounted)('a disk that is full (skipped where nothing may be mounted)', () => {
  let system: RunningSystem;
  let blobs: BlobStore;
  beforeAll(async () => {
    system = await startSystem({ DATA_DIR: diskDir });
    blobs = await createFileBlobStore({ rootDir: diskDir });
  });
  afterAll(async () => {
    await blobs?.close();
    await system?.close();
  });

  const untilEnded = async (id: string): Promise<Lecture> => {
    for await (const event of system.client.followLecture(id)) if (event.type === 'end') break;
    return system.client.getLecture(id);
  };

  /** That each artifact is there once, no sound of a chunk is left, and no file is unfinished. */
  const expectWhole = async (id: string): Promise<void> => {
    const keys = await blobs.list(lecturePrefix(id));
    expect(keys.filter((key) => key.endsWith('.pcm'))).toEqual([]);
    for (const stage of studyStageNames) {
      const made = keys.filter((key) => key.startsWith(`${lecturePrefix(id)}${stage}/`));
      expect(made.filter((key) => key.endsWith(`/${stage}.json`))).toHaveLength(1);
    }
    expect(await listUnfinished()).toEqual([]);
    expect((await system.client.getTranscript(id)).segments.length).toBeGreaterThan(5);
  };

  const countFailures = async () => (await system.readWorkerLogs()).split('"code":"storage_full"').length - 1;

  test('upload that does not fit: 507 storage_full, nothing of it stays, and once there is room it is taken', async () => {
    const file = await excerpt('fits-not.mp3', 100, 60);
    await leaveRoom(Math.floor(file.size / 2));
    const before = await blobs.list('');
    const refused = system.client.uploadLecture(file);
    await expect(refused).rejects.toMatchObject({ code: 'storage_full', status: 507 });
    expect(await blobs.list('')).toEqual(before);
    expect(await listUnfinished()).toEqual([]);
    expect((await system.client.listLectures()).lectures).toEqual([]);
    await makeRoom();
    const { id } = await system.client.uploadLecture(file);
    expect((await untilEnded(id)).status).toBe('ready');
    await expectWhole(id);
  });

  test('resumable upload that does not fit: storage_full, what came is kept, and it goes on once there is room', async () => {
    const file = await excerpt('goes-on.mp3', 10, 60);
    await leaveRoom(Math.floor(file.size / 2));
    let uploadId = '';
    const refused = system.client.startUpload(
      file,
      {},
      {
        retryDelaysMs: [],
        onUploadId(id) {
          uploadId = id;
        },
      },
    );
    await expect(refused.lecture).rejects.toMatchObject({ code: 'storage_full', status: 507 });
    const { size } = await stat(path.join(diskDir, '~uploads', uploadId));
    expect(size).toBeGreaterThan(0);
    expect(size).toBeLessThan(file.size);
    await makeRoom();
    const sent: number[] = [];
    const onProgress = (bytes: number) => sent.push(bytes);
    const { id } = await system.client.startUpload(file, {}, { uploadId, onProgress }).lecture;
    expect(Math.min(...sent)).toBeGreaterThanOrEqual(size);
    expect((await untilEnded(id)).status).toBe('ready');
    await expectWhole(id);
  });

  test('disk full in mid-lecture: the stage fails with storage_full, and a retry ends the lecture once there is room', async () => {
    const file = await excerpt('fails.mp3', 0, 100);
    // The upload and the sound of the first chunk (at most 30 s of 32,000 bytes) fit, that of the next does not.
    await leaveRoom(file.size + 1_500_000);
    const { id } = await system.client.uploadLecture(file);
    const failed = await untilEnded(id);
    expect(failed.status).toBe('failed');
    expect(failed.stages[0]).toMatchObject({ name: 'ingest', status: 'failed', error: { code: 'storage_full' } });
    expect(await listUnfinished()).toEqual([]);
    await makeRoom();
    await system.client.retryStage(id, 'ingest');
    expect((await untilEnded(id)).status).toBe('ready');
    await expectWhole(id);
  });

  test('room made after the first failure: the next try ends the lecture by itself', async () => {
    const file = await excerpt('waits.mp3', 20, 100);
    await leaveRoom(file.size + 1_500_000);
    const before = await countFailures();
    const { id } = await system.client.uploadLecture(file);
    while ((await countFailures()) === before) await new Promise((resolve) => setTimeout(resolve, 20));
    await makeRoom();
    let lecture = await untilEnded(id);
    // On a machine that stood still for seconds all three tries may have been over before there was room.
    if ((await countFailures()) - before >= 3) {
      await system.client.retryStage(id, 'ingest');
      lecture = await untilEnded(id);
    }
    expect(lecture.status).toBe('ready');
    await expectWhole(id);
  });
});
