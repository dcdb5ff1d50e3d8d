import { createHash } from 'node:crypto';
import { readdir, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { createId } from '@studymate/contracts/ids';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlobStore } from '../src/blob-store.ts';
import { collectOrphans } from '../src/collect-orphans.ts';
import { createFileBlobStore } from '../src/file-blob-store.ts';
import type { FileSystem } from '../src/file-system.ts';
import { mediaKey, recordKey } from '../src/lecture-keys.ts';
import { createPartialFiles } from '../src/partial-files.ts';
import { createUploadStore, type UploadStore } from '../src/upload-store.ts';
import { makeRoot, text } from './support/fixtures.ts';
import { dyingFileSystem, failingFileSystem } from './support/wrapped-file-system.ts';

let rootDir: string;
let blobs: BlobStore;
let uploads: UploadStore;
const open = async (fileSystem?: FileSystem): Promise<UploadStore> => {
  const options = { rootDir, ...(fileSystem && { fileSystem }) };
  return createUploadStore({ blobs: await createFileBlobStore(options), partials: await createPartialFiles(options) });
};
beforeEach(async () => {
  rootDir = await makeRoot();
  blobs = await createFileBlobStore({ rootDir });
  uploads = await open();
});
afterEach(async () => {
  await blobs.close();
  await rm(rootDir, { recursive: true });
});

const hourMs = 3_600_000;
const sound = 'the sound of printing';
const soundSha256 = createHash('sha256').update(sound).digest('hex');

async function begin(owner = 'ada', bytes = sound.length) {
  const id = createId();
  await uploads.create({ owner, id, bytes, metadata: { filename: 'a.mp3', empty: null } });
  return { owner, id, bytes };
}

async function append(upload: { id: string }, offset: number, part: string, store = uploads): Promise<void> {
  const writer = await store.append(upload, offset);
  try {
    await writer.write(text(part));
  } finally {
    await writer.close();
  }
}

const partialPath = (id: string) => join(rootDir, '~uploads', id);
const listPartials = () => readdir(join(rootDir, '~uploads'));

describe('upload store', () => {
  it('an upload in parts: says how far it is, and becomes media without being copied', async () => {
    const upload = await begin();
    expect(await uploads.read('ada', upload.id)).toMatchObject({
      bytes: sound.length,
      offset: 0,
      lectureId: null,
      metadata: { filename: 'a.mp3', empty: null },
    });
    await append(upload, 0, sound.slice(0, 8));
    // Another copy of the API goes on.
    const other = await open();
    expect((await other.read('ada', upload.id))?.offset).toBe(8);
    await append(upload, 8, sound.slice(8), other);
    expect(await uploads.finish(upload)).toBe(soundSha256);
    const { ino } = await stat(partialPath(upload.id));
    expect(await uploads.publish(upload)).toBe(true);
    expect((await stat(join(rootDir, mediaKey(upload.id)))).ino).toBe(ino);
    expect(String(await blobs.read(mediaKey(upload.id)))).toBe(sound);
    expect(await listPartials()).toEqual([]);
    // As often as one likes.
    expect(await uploads.finish(upload)).toBe(soundSha256);
    expect(await uploads.publish(upload)).toBe(true);
    expect((await uploads.read('ada', upload.id))?.offset).toBe(sound.length);
  });

  it('a part that does not begin where the upload ends: offset_mismatch with the right one, and nothing is written', async () => {
    const upload = await begin();
    await append(upload, 0, 'abc');
    for (const offset of [0, 2, 4]) {
      await expect(uploads.append(upload, offset)).rejects.toMatchObject({
        code: 'offset_mismatch',
        details: { offset: 3 },
      });
    }
    expect((await uploads.read('ada', upload.id))?.offset).toBe(3);
  });

  it('uploads of others, and what is none: are not there', async () => {
    const { id } = await begin();
    expect(await uploads.read('bob', id)).toBeNull();
    expect(await uploads.read('ada', createId())).toBeNull();
    expect(await uploads.remove('bob', id)).toBe(false);
    expect(await uploads.read('ada', id)).not.toBeNull();
  });

  it('two makers of a lecture: both get the one that was noted first', async () => {
    const upload = await begin();
    const ids = [createId(), createId()];
    const noted = await Promise.all(ids.map((id) => uploads.claimLecture(upload, id)));
    expect(new Set(noted).size).toBe(1);
    expect((await uploads.read('ada', upload.id))?.lectureId).toBe(noted[0]);
  });

  it('a removed upload: leaves nothing; a lecture that was made of it keeps its media', async () => {
    const [unfinished, made] = [await begin(), await begin()];
    await append(unfinished, 0, 'abc');
    await append(made, 0, sound);
    await uploads.finish(made);
    await uploads.claimLecture(made, createId());
    await uploads.publish(made);
    for (const { id } of [unfinished, made]) {
      expect(await uploads.remove('ada', id)).toBe(true);
      expect(await uploads.remove('ada', id)).toBe(false);
    }
    expect(await blobs.list('')).toEqual([mediaKey(made.id)]);
    expect(await listPartials()).toEqual([]);
    expect(await uploads.publish(unfinished)).toBe(false);
  });

  it('open uploads of an owner: those that are no lecture and have not expired', async () => {
    const made = await begin();
    const lectureId = await uploads.claimLecture(made, createId());
    await blobs.create(recordKey(lectureId, 1), text('{}'));
    await begin();
    // To be a lecture, which was refused.
    await uploads.claimLecture(await begin(), createId());
    await begin('bob');
    expect(await uploads.countOpen('ada', { ttlMs: hourMs, enough: 2 })).toBe(2);
    expect(await uploads.countOpen('ada', { ttlMs: -hourMs, enough: 2 })).toBe(0);
    expect(await uploads.countOpen('nobody', { ttlMs: hourMs, enough: 2 })).toBe(0);
  });

  it('a link in the place of a partial file: is not followed', async () => {
    const upload = await begin();
    await symlink(join(rootDir, 'elsewhere'), partialPath(upload.id));
    await expect(uploads.append(upload, 0)).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect(await readdir(rootDir)).not.toContain('elsewhere');
  });

  it('a disk that is full in mid-part: storage_full, and the upload goes on where it was', async () => {
    const upload = await begin();
    await append(upload, 0, sound.slice(0, 5));
    let failures = 0;
    for (let at = 1; ; at++) {
      const failing = failingFileSystem(at, 'ENOSPC');
      const full = await open(failing.fileSystem);
      failing.arm();
      const { offset } = (await uploads.read('ada', upload.id)) ?? { offset: -1 };
      expect(offset).toBe(5);
      const tried = await full.append(upload, 5).then(
        (writer) => writer.close().catch((error) => error),
        (error) => error,
      );
      if (!failing.hasFailed()) break;
      failures++;
      if (tried) expect(tried).toMatchObject({ code: 'storage_full' });
    }
    expect(failures).toBeGreaterThan(2);
    await append(upload, 5, sound.slice(5));
    expect(await uploads.finish(upload)).toBe(soundSha256);
  });
});

describe('collecting expired uploads', () => {
  const ttlMs = 24 * hourMs;
  const collectAfter = (ms: number) => uploads.collectExpired({ ttlMs, nowMs: Date.now() + ms });

  it('an hour after they have expired: removes unfinished, finished and begun ones, and keeps them until then', async () => {
    const all = [await begin(), await begin('bob'), await begin()];
    await append(all[1] as { id: string }, 0, 'abc');
    await append(all[2] as { id: string }, 0, sound);
    await uploads.finish(all[2] as { owner: string; id: string; bytes: number });
    expect(await collectAfter(24.9 * hourMs)).toBe(0);
    for (const { owner, id } of all) expect(await uploads.read(owner, id)).not.toBeNull();
    expect(await collectAfter(25.1 * hourMs)).toBe(3);
    expect(await blobs.list('')).toEqual([]);
    expect(await listPartials()).toEqual([]);
  });

  it('bytes whose upload nothing is known of: are removed when they are as old', async () => {
    await append({ id: createId() }, 0, 'abc');
    await collectAfter(24.9 * hourMs);
    expect(await listPartials()).toHaveLength(1);
    await collectAfter(25.1 * hourMs);
    expect(await listPartials()).toEqual([]);
  });

  it('media on its way to a lecture: is no orphan as long as its upload is known', async () => {
    const upload = await begin();
    await append(upload, 0, sound);
    await uploads.finish(upload);
    await uploads.claimLecture(upload, createId());
    await uploads.publish(upload);
    const nowMs = Date.now() + 30 * hourMs;
    expect((await collectOrphans({ blobs }, { nowMs })).removed).toEqual([]);
    expect(await collectAfter(30 * hourMs)).toBe(1);
    expect((await collectOrphans({ blobs }, { nowMs })).removed).toEqual([mediaKey(upload.id)]);
  });
});

describe('a process that dies at each call of the file system in turn', () => {
  it('while an upload becomes media: the next one finds it there or where it was, and does the rest', async () => {
    for (let at = 1; ; at++) {
      const upload = await begin();
      await append(upload, 0, sound);
      const dying = dyingFileSystem(at);
      const mortal = await open(dying.fileSystem);
      dying.arm();
      await (async () => {
        await mortal.finish(upload);
        await mortal.claimLecture(upload, createId());
        await mortal.publish(upload);
      })().catch(() => {});
      await dying.quiet();
      expect((await uploads.read('ada', upload.id))?.offset).toBe(sound.length);
      expect(await uploads.finish(upload)).toBe(soundSha256);
      expect(await uploads.publish(upload)).toBe(true);
      expect(String(await blobs.read(mediaKey(upload.id)))).toBe(sound);
      expect(await listPartials()).toEqual([]);
      if (!dying.hasDied()) {
        expect(at).toBeGreaterThan(10);
        break;
      }
    }
  });

  it('while an upload is removed: it can still be found and removed', async () => {
    for (let at = 1; ; at++) {
      const upload = await begin();
      await append(upload, 0, 'abc');
      const dying = dyingFileSystem(at);
      const mortal = await open(dying.fileSystem);
      dying.arm();
      await mortal.remove('ada', upload.id).catch(() => {});
      await dying.quiet();
      await uploads.remove('ada', upload.id);
      expect(await listPartials()).toEqual([]);
      expect(await blobs.list('uploads/')).toEqual([]);
      if (!dying.hasDied()) break;
    }
  });
});
