import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createFileBlobStore } from '@studymate/storage/file-blob-store';
import { createLectureStore } from '@studymate/storage/lecture-store';
import { expect, test } from 'vitest';
import { createCollect } from '../src/collect.ts';

test('the hourly collection, one step of which cannot be done: does the others, and throws that fault at its end', async () => {
  const rootDir = await mkdtemp(path.join(tmpdir(), 'studymate-collect-'));
  const store = await createFileBlobStore({ rootDir });
  const fault = new Error('uploads cannot be listed');
  const done: string[] = [];
  const warned: unknown[] = [];
  const blobs = { ...store, removeAbandoned: () => Promise.reject(fault) };
  await store.put('claims/1/old', Buffer.from('{}'));
  const collect = createCollect({
    blobs,
    lectures: {
      ...createLectureStore({ blobs }),
      finishDeletions: async () => done.push('deletions'),
    },
    uploads: { collectExpired: async () => done.push('uploads') },
    courses: {} as never,
    courseTopics: { collect: async () => done.push('topics') },
    config: { uploads: { ttlMs: 1, maxUnfinishedPerOwner: null }, retentionDays: 0 },
    clipDir: rootDir,
    forget: async () => {},
    logger: { info: () => {}, debug: () => {}, warn: (context: unknown) => void warned.push(context) } as never,
  });
  try {
    await expect(collect()).rejects.toBe(fault);
    expect(done.sort()).toEqual(['deletions', 'topics', 'uploads']);
    expect(warned).toEqual([{ err: fault, step: 'orphans' }]);
    expect(await store.list('claims/')).toEqual([]);
  } finally {
    await store.close();
    await rm(rootDir, { recursive: true });
  }
});
