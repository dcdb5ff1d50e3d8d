import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createFileBlobStore } from '../src/file-blob-store.ts';
import { buildFixture, makeRoot } from './support/fixtures.ts';

let rootDir: string;
const running = new Set<ChildProcess>();
beforeEach(async () => {
  rootDir = await makeRoot();
});
afterEach(async () => {
  for (const child of running) await kill(child);
  await rm(rootDir, { recursive: true });
});

async function kill(child: ChildProcess): Promise<void> {
  running.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'close');
}

/** What a writer was told that it has made, and how to learn of the next one. */
function startWriter(script: string, name: string) {
  const child = spawn(process.execPath, [script, rootDir, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  running.add(child);
  const made: string[] = [];
  let wake = () => {};
  // A line that the kill has cut off ends with the pipe: its blob was acknowledged all the same, its name is not whole.
  let rest = '';
  child.stdout.on('data', (data) => {
    const lines = (rest + data).split('\n');
    rest = lines.pop() ?? '';
    made.push(...lines);
    wake();
  });
  return {
    made,
    child,
    async untilMade(count: number) {
      while (made.length < count) {
        if (child.exitCode !== null) throw new Error(`the writer ended with ${child.exitCode}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

function expectWhole(key: string, bytes: Uint8Array | null): void {
  const [size, ...letters] = Buffer.from(bytes ?? [])
    .toString()
    .split('\n');
  const text = letters.join('');
  expect(text.length, key).toBe(Number(size));
  expect(new Set(text).size, key).toBeLessThanOrEqual(1);
}

it('two processes in one folder, killed again and again: all they were told is there, nothing is half', async () => {
  const script = await buildFixture('busy-writer', join(rootDir, '~fixture'));
  const store = await createFileBlobStore({ rootDir });
  const acknowledged: string[] = [];
  for (let round = 0; round < 6; round++) {
    const writers = [startWriter(script, String(round)), startWriter(script, 'abcdef'.charAt(round))];
    // Each at another moment of its work, while the other one goes on.
    for (const [i, writer] of writers.entries()) {
      await writer.untilMade(3 + Math.floor(Math.random() * 10));
      await kill(writer.child);
      // The other one still writes: its file must stay.
      if (i === 0) await store.removeAbandoned();
    }
    for (const { made } of writers) acknowledged.push(...made);
    await store.removeAbandoned();
    expect(await readdir(join(rootDir, '~tmp'))).toEqual([]);
    for (const key of await store.list('')) expectWhole(key, await store.read(key));
  }
  expect(acknowledged.length).toBeGreaterThan(36);
  expect(await store.list('made/')).toEqual(expect.arrayContaining(acknowledged));
  await store.close();
});
