import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFileBlobStore } from '../src/file-blob-store.ts';
import { describeBlobStore } from './blob-store-conformance.ts';
import { buildFixture, makeRoot, text } from './support/fixtures.ts';

const run = promisify(execFile);

describeBlobStore('files', async () => {
  const rootDir = await makeRoot();
  const store = await createFileBlobStore({ rootDir });
  const second = await createFileBlobStore({ rootDir });
  return {
    store,
    second,
    async dispose() {
      await store.close();
      await second.close();
      // The store itself must have left no temporary file, in any of the tests.
      expect(await readdir(join(rootDir, '~tmp'))).toEqual([]);
      await rm(rootDir, { recursive: true });
    },
  };
});

describe('file blob store', () => {
  let rootDir: string;
  beforeEach(async () => {
    rootDir = await makeRoot();
  });
  afterEach(() => rm(rootDir, { recursive: true, force: true }));

  it('folders: are made on demand and pruned when the last blob goes', async () => {
    const store = await createFileBlobStore({ rootDir });
    await store.put('a/b/c/one', text('1'));
    await store.put('a/b/two', text('2'));
    await store.delete('a/b/c/one');
    expect(await readdir(join(rootDir, 'a/b'))).toEqual(['two']);
    await store.delete('a/b/two');
    expect(await readdir(rootDir)).toEqual(['~tmp']);
    await store.close();
  });

  it('symbolic links: neither a linked folder nor a linked file is followed, in either direction', async () => {
    const outside = await makeRoot();
    try {
      await writeFile(join(outside, 'secret'), 'secret');
      const store = await createFileBlobStore({ rootDir });
      await symlink(outside, join(rootDir, 'folder'));
      await mkdir(join(rootDir, 'media'));
      await symlink(join(outside, 'secret'), join(rootDir, 'media/file'));
      const refused = { code: 'storage_unavailable' };
      for (const key of ['folder/secret', 'media/file']) {
        await expect(store.read(key)).rejects.toMatchObject(refused);
        await expect(store.openLocal(key)).rejects.toMatchObject(refused);
      }
      await expect(store.put('folder/new', text('x'))).rejects.toMatchObject(refused);
      await expect(store.create('folder/deep/new', text('x'))).rejects.toMatchObject(refused);
      await expect(store.delete('folder/secret')).rejects.toMatchObject(refused);
      await expect(store.list('folder/')).rejects.toMatchObject(refused);
      expect(await store.list('')).toEqual([]);
      await store.put('media/file', text('mine'));
      expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('secret');
      expect(await readdir(outside)).toEqual(['secret']);
      await store.close();
    } finally {
      await rm(outside, { recursive: true });
    }
  });

  it('root: reached through a symbolic link, works', async () => {
    const link = `${rootDir}-link`;
    await symlink(rootDir, link);
    try {
      const store = await createFileBlobStore({ rootDir: link });
      await store.put('a/b', text('x'));
      expect(await store.list('')).toEqual(['a/b']);
      await store.close();
    } finally {
      await rm(link);
    }
  });

  it('root: when it vanishes, nothing is taken for missing and nothing is made anew', async () => {
    const store = await createFileBlobStore({ rootDir });
    await store.put('a/b', text('x'));
    const away = `${rootDir}-away`;
    await rename(rootDir, away);
    try {
      const gone = { code: 'storage_unavailable' };
      await expect(store.read('a/b')).rejects.toMatchObject(gone);
      await expect(store.list('a/')).rejects.toMatchObject(gone);
      await expect(store.put('a/c', text('x'))).rejects.toMatchObject(gone);
      await expect(store.delete('a/b')).rejects.toMatchObject(gone);
      await expect(store.check()).rejects.toMatchObject(gone);
      await expect(readdir(rootDir)).rejects.toThrow('ENOENT');
    } finally {
      await rename(away, rootDir);
    }
    await store.check();
    expect(await store.read('a/b')).toEqual(Buffer.from('x'));
    await store.close();
  });

  it('temporary folder: in another file system, is refused at start', async (context) => {
    const other = await mkdtemp('/dev/shm/studymate-').catch(() => null);
    if (!other) return context.skip('there is no /dev/shm here');
    try {
      const opened = createFileBlobStore({ rootDir, tempDir: other });
      await expect(opened).rejects.toMatchObject({ code: 'storage_unavailable' });
    } finally {
      await rm(other, { recursive: true });
    }
  });

  it('kill -9 at every third call: what was there stays, nothing half is ever visible', async () => {
    const store = await createFileBlobStore({ rootDir });
    const script = await buildFixture('killed-writer', join(rootDir, '~fixture'));
    await store.put('a/put', text('old'));
    let killed = 0;
    for (let at = 1; at < 120; at += 3) {
      const { stdout } = await run(process.execPath, [script, rootDir, String(at)]).catch((thrown) => {
        if (thrown.signal !== 'SIGKILL') throw thrown;
        killed++;
        return thrown as { stdout: string };
      });
      const put = (await store.read('a/put'))?.toString();
      expect(put === 'old' || put === 'n'.repeat(100_000)).toBe(true);
      const created = (await store.read('a/b/created'))?.toString();
      expect(created === undefined || created === 'c'.repeat(100_000)).toBe(true);
      const temps = await readdir(join(rootDir, '~tmp'));
      expect(temps.length).toBeLessThanOrEqual(1);
      for (const name of temps) await rm(join(rootDir, '~tmp', name));
      for (const key of await store.list('')) expect(['a/put', 'a/b/created']).toContain(key);
      if (stdout.includes('done')) break;
      await store.delete('a/b/created');
    }
    expect(killed).toBeGreaterThan(5);
    expect((await store.stat('a/put'))?.bytes).toBe(100_000);
    expect(await store.create('a/b/created', text('again'))).toBe(false);
    await store.close();
  });

  it('a disk that is really full: storage_full, nothing left, and it works again once there is room', async (context) => {
    const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', rootDir]).catch(() => null);
    if (!mounted) return context.skip('mounting is not allowed here');
    try {
      const store = await createFileBlobStore({ rootDir });
      await store.put('small', text('x'));
      await expect(store.put('a/large', new Uint8Array(1_000_000))).rejects.toMatchObject({ code: 'storage_full' });
      await expect(store.create('a/large', new Uint8Array(1_000_000))).rejects.toMatchObject({ code: 'storage_full' });
      expect(await store.list('')).toEqual(['small']);
      // Pages are 4 KiB: fills what is left, so that not even the check's proof has room.
      let filled = 0;
      while (await store.put(`fill/${filled}`, new Uint8Array(4096)).catch(() => null)) filled++;
      expect(filled).toBeGreaterThan(10);
      await expect(store.check()).rejects.toMatchObject({ code: 'storage_full' });
      await store.deletePrefix('fill/');
      await store.check();
      await store.put('a/medium', new Uint8Array(100_000));
      expect(await store.stat('a/medium')).toMatchObject({ bytes: 100_000 });
      await store.close();
    } finally {
      await run('umount', [rootDir]);
    }
  });

  it('creators in several processes: exactly one wins each key', async () => {
    const script = await buildFixture('racing-creator', join(rootDir, '~fixture'));
    const children = Array.from({ length: 3 }, (_, i) => spawn(process.execPath, [script, rootDir, String(i)]));
    const outputs = await Promise.all(
      children.map(async (child) => {
        let output = '';
        child.stdout.on('data', (data) => {
          output += data;
        });
        await once(child, 'close');
        return output.split('\n').filter(Boolean);
      }),
    );
    const wins = outputs.flat();
    expect(wins).toHaveLength(100);
    expect(new Set(wins).size).toBe(100);
  });
});
