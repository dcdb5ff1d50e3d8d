import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withFolderLock } from '../src/folder-lock.ts';

let dir: string;
let lockDir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'studymate-lock-'));
  lockDir = path.join(dir, 'lock');
});
afterEach(() => rm(dir, { recursive: true }));

const waitForNobody = { signal: new AbortController().signal, isDone: async () => false };

test('of many that want it one works at a time, and all get their turn', async () => {
  let working = 0;
  let done = 0;
  const work = async () => {
    expect(++working).toBe(1);
    await readdir(dir);
    working--;
    done++;
  };
  await Promise.all([1, 2, 3].map(() => withFolderLock(lockDir, waitForNobody, work)));
  expect(done).toBe(3);
  expect(await readdir(lockDir)).toEqual([]);
});

const leave = async (holder: { host: string; pid: number }, ageSeconds: number) => {
  await mkdir(lockDir, { recursive: true });
  const file = path.join(lockDir, '3');
  await writeFile(file, JSON.stringify({ ...holder, token: 'x' }));
  await utimes(file, Date.now() / 1000 - ageSeconds, Date.now() / 1000 - ageSeconds);
};

/** More than any system has. */
const noProcess = 2 ** 30;
test.each([
  ['a process of this machine that has ended', { host: hostname(), pid: noProcess }, 0],
  ['a process elsewhere that has given no sign for long', { host: 'elsewhere', pid: 1 }, 120],
])('what %s held is taken over', async (_, holder, ageSeconds) => {
  await leave(holder, ageSeconds);
  let isDone = false;
  await withFolderLock(lockDir, waitForNobody, async () => {
    isDone = true;
  });
  expect(isDone).toBe(true);
  expect(await readdir(lockDir)).toEqual([]);
});

test('what another one holds is waited for, until the work is done or the wait is stopped', async () => {
  await leave({ host: 'elsewhere', pid: 1 }, 0);
  const never = async () => expect.unreachable();
  let looks = 0;
  await withFolderLock(lockDir, { ...waitForNobody, isDone: async () => ++looks > 1 }, never);
  const stop = new AbortController();
  const isDone = async () => {
    stop.abort(new Error('enough'));
    return false;
  };
  await expect(withFolderLock(lockDir, { signal: stop.signal, isDone }, never)).rejects.toThrow('abort');
});
