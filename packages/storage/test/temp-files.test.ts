import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlobStore } from '../src/blob-store.ts';
import { createFileBlobStore } from '../src/file-blob-store.ts';
import { isWriterGone, readWriterTag } from '../src/temp-writer.ts';
import { buildFixture, makeRoot, text } from './support/fixtures.ts';

const run = promisify(execFile);

let rootDir: string;
let temp: string;
const children: ChildProcess[] = [];
const stores: BlobStore[] = [];
beforeEach(async () => {
  rootDir = await makeRoot();
  temp = join(rootDir, '~tmp');
  await mkdir(temp);
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  for (const store of stores.splice(0)) await store.close();
  await rm(rootDir, { recursive: true });
});

async function open(): Promise<BlobStore> {
  const store = await createFileBlobStore({ rootDir });
  stores.push(store);
  return store;
}

const names = async () => (await readdir(temp)).sort();
const random = (letter: string) => letter.repeat(24);

async function makeTemp(name: string, ageMs: number): Promise<string> {
  await writeFile(join(temp, name), 'half');
  const when = new Date(Date.now() - ageMs);
  await utimes(join(temp, name), when, when);
  return name;
}

/** @param wrapper a command that starts it, such as one that gives it process numbers of its own */
async function startSlowWriter(wrapper: string[] = []): Promise<ChildProcess> {
  const script = await buildFixture('slow-writer', join(rootDir, '~fixture'));
  const [command = process.execPath, ...args] = [...wrapper, process.execPath, script, rootDir];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  await once(child.stdout, 'data');
  return child;
}

const minutes = 60_000;

describe('temporary files', () => {
  it('of another process: stay while it writes, however old, and go at once after its kill -9', async () => {
    const child = await startSlowWriter();
    const [name = ''] = await names();
    expect(name).toMatch(new RegExp(`^${child.pid}\\.`));
    await makeTemp(name, 10_000 * minutes);
    const store = await open();
    expect(await names()).toEqual([name]);
    expect(await store.removeAbandoned()).toBe(0);
    expect(await names()).toEqual([name]);

    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await store.removeAbandoned()).toBe(1);
    expect(await names()).toEqual([]);
    expect(await store.list('')).toEqual([]);
  });

  it('of a dead process: are removed when the next store starts', async () => {
    const child = await startSlowWriter();
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await names()).toHaveLength(1);
    await open();
    expect(await names()).toEqual([]);
  });

  it('of a process whose number another one has now: go at once', async () => {
    const [pid, start, world] = (await readWriterTag()).split('.');
    await makeTemp(`${pid}.${Number(start) - 1}.${world}-${random('a')}`, 0);
    const mine = await makeTemp(`${pid}.${start}.${world}-${random('b')}`, 10_000 * minutes);
    await open();
    expect(await names()).toEqual([mine]);
  });

  it.for([
    ['with a /proc of its own, as in a container', ['--mount-proc']],
    ['with the /proc of this one', []],
  ] satisfies [string, string[]][])(
    'of a process with numbers of its own, %s: stay while it writes',
    async ([, options], context) => {
      const unshare = ['unshare', '--pid', '--fork', '--kill-child', ...options];
      const isAllowed = await run(unshare[0] ?? '', [...unshare.slice(1), 'true']).then(
        () => true,
        () => false,
      );
      if (!isAllowed) return context.skip('a process may not be given numbers of its own here');
      // Its own number is 1 or so there: here that is another process, or none.
      await startSlowWriter(unshare);
      const before = await names();
      expect(before).toHaveLength(1);
      const store = await open();
      expect(await store.removeAbandoned()).toBe(0);
      expect(await names()).toEqual(before);
    },
  );

  it('of another container or machine, or of one without a name: go after an hour without a sign', async () => {
    const elsewhere = `${process.pid}.1.${'0'.repeat(16)}`;
    const young = await makeTemp(`${elsewhere}-${random('a')}`, 50 * minutes);
    const youngUnnamed = await makeTemp(`123-${random('b')}`, 50 * minutes);
    await makeTemp(`${elsewhere}-${random('c')}`, 70 * minutes);
    await makeTemp(`123-${random('d')}`, 70 * minutes);
    const store = await open();
    expect(await names()).toEqual([young, youngUnnamed].sort());
    await makeTemp(young, 70 * minutes);
    expect(await store.removeAbandoned()).toBe(1);
    expect(await names()).toEqual([youngUnnamed]);
  });

  it('files and folders that are not ours: stay, however old', async () => {
    for (const name of ['foreign', `x-${random('a')}`, `12-${random('a')}.txt`]) await makeTemp(name, 10_000 * minutes);
    await mkdir(join(temp, `123-${random('e')}`));
    const before = await names();
    const store = await open();
    expect(await store.removeAbandoned()).toBe(0);
    expect(await names()).toEqual(before);
  });

  it('a file that is taken away under its writer: the writer is told, and nothing half is left', async () => {
    const store = await open();
    async function* robbed() {
      yield text('half');
      for (const name of await names()) await rm(join(temp, name));
      yield text('the rest');
    }
    await expect(store.put('a/b', robbed())).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect(await store.list('')).toEqual([]);
    expect(await readdir(rootDir)).toEqual(['~tmp']);
  });
});

describe('isWriterGone', () => {
  it('of this process: no; without a tag of its own: not known', async () => {
    const mine = await readWriterTag();
    expect(await isWriterGone(mine, mine)).toBe(false);
    expect(await isWriterGone(mine, '123')).toBeNull();
    expect(await isWriterGone('123', mine)).toBeNull();
  });
});
