import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chunkSchema } from '@studymate/contracts/artifacts';
import { createId } from '@studymate/contracts/ids';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createArtifacts } from '../src/artifacts.ts';
import type { BlobStore } from '../src/blob-store.ts';
import { createFileBlobStore } from '../src/file-blob-store.ts';
import {
  chunkKey,
  chunkSamplesKey,
  deletionVersion,
  ingestManifestKey,
  lecturePrefix,
  ownerMarkKey,
  recordKey,
  studyArtifactKey,
  transcribedChunkKey,
} from '../src/lecture-keys.ts';
import { createLectureStore, type LectureStore } from '../src/lecture-store.ts';
import { makeRecord } from './support/records.ts';

const text = (value: string) => new TextEncoder().encode(value);

const addWarning = (code: string) => (record: LectureRecord) => ({
  ...record,
  warnings: [...record.warnings, { code, message: code }],
});

let rootDir: string;
let blobs: BlobStore;
let lectures: LectureStore;
beforeEach(async () => {
  rootDir = await mkdtemp(join(tmpdir(), 'studymate-lectures-'));
  blobs = await createFileBlobStore({ rootDir });
  lectures = createLectureStore({ blobs });
});
afterEach(async () => {
  await blobs.close();
  await rm(rootDir, { recursive: true });
});

describe('lecture store', () => {
  it('a record that is listed and is never there: storage_unavailable, not a search without end', async () => {
    const record = makeRecord();
    await lectures.create(record);
    let asked = 0;
    const lagging = createLectureStore({
      blobs: { ...blobs, read: async () => (asked++ < 100 ? null : new Uint8Array()) },
    });
    await expect(lagging.read(record.id)).rejects.toMatchObject({ code: 'storage_unavailable' });
    asked = 0;
    const late = createLectureStore({
      blobs: { ...blobs, read: async (key) => (asked++ < 3 ? null : blobs.read(key)) },
    });
    expect(await late.read(record.id)).toEqual(record);
  });

  it('create: then read, gives the record; again with the same, is no error; with another, is one', async () => {
    const record = makeRecord();
    await lectures.create(record);
    expect(await lectures.read(record.id)).toEqual(record);
    await lectures.create(record);
    await expect(lectures.create({ ...record, title: 'Another' })).rejects.toMatchObject({ code: 'internal' });
    expect((await lectures.read(record.id))?.title).toBe('A lecture');
  });

  it('read: of an unknown lecture, gives null; with a hostile id, refuses', async () => {
    expect(await lectures.read(createId())).toBeNull();
    expect(await lectures.update(createId(), addWarning('x'))).toBeNull();
    await lectures.delete(createId());
    expect(await blobs.list('')).toEqual([]);
    await expect(lectures.read('../x')).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it('update: makes the next version, keeps the old ones, and writes nothing when nothing changes', async () => {
    const record = makeRecord();
    await lectures.create(record);
    const updated = await lectures.update(record.id, (old) => ({ ...old, title: 'New' }));
    expect(updated).toEqual({ ...record, title: 'New', version: 2 });
    expect(await lectures.update(record.id, (old) => old)).toEqual(updated);
    expect(await lectures.read(record.id)).toEqual(updated);
    expect(await blobs.list(lecturePrefix(record.id))).toEqual([recordKey(record.id, 1), recordKey(record.id, 2)]);
  });

  it('update: by many writers over several stores at once, loses none', async () => {
    const record = makeRecord();
    await lectures.create(record);
    const other = createLectureStore({ blobs: await createFileBlobStore({ rootDir }) });
    const codes = Array.from({ length: 60 }, (_, i) => `w${i}`);
    await Promise.all(codes.map((code, i) => (i % 2 ? lectures : other).update(record.id, addWarning(code))));
    const end = await lectures.read(record.id);
    expect(end?.version).toBe(61);
    expect(end?.warnings.map(({ code }) => code).sort()).toEqual([...codes].sort());
  });

  it('update: of versions beyond the last fifty the oldest go, also where there are very many', async () => {
    const record = makeRecord();
    await lectures.create(record);
    const last = 150;
    for (let version = 2; version <= last; version++) {
      await blobs.put(recordKey(record.id, version), text(JSON.stringify({ ...record, version })));
    }
    const count = async () => (await blobs.list(lecturePrefix(record.id))).length;
    const counts: number[] = [];
    for (let i = 1; i <= 8; i++) {
      expect(await lectures.update(record.id, (old) => ({ ...old, title: `${i}` }))).toMatchObject({
        version: last + i,
      });
      counts.push(await count());
    }
    expect(counts).toEqual([131, 112, 93, 74, 55, 51, 51, 51]);
    expect(await blobs.stat(recordKey(record.id, last + 8 - 50))).not.toBeNull();
    const failing = createLectureStore({
      blobs: {
        ...blobs,
        async delete() {
          throw new Error('not now');
        },
      },
    });
    expect((await failing.update(record.id, addWarning('x')))?.version).toBe(last + 9);
    expect((await lectures.read(record.id))?.version).toBe(last + 9);
  });

  it('update: that comes so late that its number was dropped, is made on the newest version', async () => {
    const record = makeRecord();
    await lectures.create(record);
    const slow = {
      ...blobs,
      async create(key: string, body: Uint8Array) {
        if (key === recordKey(record.id, 2)) {
          for (let i = 0; i < 60; i++) await lectures.update(record.id, (old) => ({ ...old, title: `${i}` }));
        }
        return blobs.create(key, body);
      },
    };
    const late = await createLectureStore({ blobs: slow }).update(record.id, addWarning('late'));
    expect(late).toMatchObject({ version: 62, title: '59', warnings: [{ code: 'late' }] });
    expect(await lectures.read(record.id)).toEqual(late);
    expect(await blobs.stat(recordKey(record.id, 2))).toBeNull();
  });

  it('update: to what is no record, throws and writes nothing', async () => {
    const record = makeRecord();
    await lectures.create(record);
    const wrong = { code: 'internal', retryable: false };
    await expect(lectures.update(record.id, (old) => ({ ...old, createdAt: 'today' }))).rejects.toMatchObject(wrong);
    await expect(lectures.update(record.id, (old) => ({ ...old, id: createId() }))).rejects.toMatchObject(wrong);
    expect(await blobs.list(lecturePrefix(record.id))).toEqual([recordKey(record.id, 1)]);
  });

  it.each([
    ['no JSON', () => text('{"half')],
    ['of another form', () => text('{"schemaVersion":1}')],
    ['of a schema that is none', () => text('{"schemaVersion":"1"}')],
    ['empty', () => new Uint8Array()],
    ['of another lecture', () => text(JSON.stringify({ ...makeRecord(), version: 2 }))],
  ])('read: when the newest version is %s, throws and names it', async (_, bytes) => {
    const record = makeRecord();
    await lectures.create(record);
    await blobs.put(recordKey(record.id, 2), bytes());
    await expect(lectures.read(record.id)).rejects.toMatchObject({
      code: 'internal',
      retryable: false,
      message: expect.stringContaining('00000002.json'),
    });
    await lectures.delete(record.id);
    expect(await lectures.read(record.id)).toBeNull();
  });

  it('listIds: gives the newest first, pages by `after`, and only those of the owner', async () => {
    const ids = Array.from({ length: 5 }, (_, i) => createId(1_000 + i));
    for (const id of ids) await lectures.create(makeRecord(id, 'ann'));
    const strange = makeRecord(createId(), '../ann/lectures\0');
    await lectures.create(strange);
    const [a, b, c, d, e] = ids;
    expect(await lectures.listIds('ann', { limit: 2 })).toEqual([e, d]);
    expect(await lectures.listIds('ann', { limit: 2, after: d ?? '' })).toEqual([c, b]);
    expect(await lectures.listIds('ann', { limit: 2, after: b ?? '' })).toEqual([a]);
    expect(await lectures.listIds('an', { limit: 9 })).toEqual([]);
    expect(await lectures.listIds(strange.owner, { limit: 9 })).toEqual([strange.id]);
    expect((await lectures.listAllIds()).sort()).toEqual([...ids, strange.id].sort());
  });

  it('readIndex: gives the chunks of the current attempts, a cut one only with its description', async () => {
    const record = { ...makeRecord(), attempts: { transcribe: 2 } };
    const { id } = record;
    for (const key of [chunkKey(id, 1, 10_000), chunkKey(id, 1, 2), chunkKey(id, 1, 0), chunkSamplesKey(id, 1, 3)]) {
      await blobs.put(key, text('x'));
    }
    for (const key of [ingestManifestKey(id, 1), chunkKey(id, 2, 7)]) await blobs.put(key, text('x'));
    for (const key of [transcribedChunkKey(id, 1, 0), transcribedChunkKey(id, 2, 2)]) await blobs.put(key, text('x'));
    expect(await lectures.readIndex(record)).toEqual({ cutChunks: [0, 2, 10_000], transcribedChunks: [2] });
  });
});

describe('lecture store: deleting', () => {
  async function makeFull(): Promise<LectureRecord> {
    const record = makeRecord();
    await lectures.create(record);
    await lectures.update(record.id, addWarning('x'));
    await blobs.put(record.media.key, text('sound'));
    for (let i = 0; i < 12; i++) await blobs.put(chunkKey(record.id, 1, i), text('x'));
    await blobs.put(studyArtifactKey(record.id, 'summary', 1), text('x'));
    return record;
  }

  it('delete: leaves nothing but its own mark, and the other lectures whole', async () => {
    const kept = await makeFull();
    const before = await blobs.list('');
    const record = await makeFull();
    await lectures.delete(record.id);
    await lectures.delete(record.id);
    const mark = recordKey(record.id, deletionVersion);
    expect(await blobs.list('')).toEqual([...before, mark].sort());
    expect(await lectures.read(record.id)).toBeNull();
    expect(await lectures.listIds('anonymous', { limit: 9 })).toEqual([kept.id]);
  });

  it('update and create: after delete, cannot bring the lecture back', async () => {
    const record = await makeFull();
    await lectures.delete(record.id);
    expect(await lectures.update(record.id, addWarning('late'))).toBeNull();
    await lectures.create(record).catch(() => undefined);
    expect(await lectures.read(record.id)).toBeNull();
  });

  it('update: that began before delete and ends after it, gives null and leaves nothing', async () => {
    const record = await makeFull();
    // The blob store of a slow writer: its exclusive create happens only once the deletion is over.
    const slow: BlobStore = {
      ...blobs,
      async create(key, body) {
        await lectures.delete(record.id);
        return blobs.create(key, body);
      },
    };
    const late = createLectureStore({ blobs: slow }).update(record.id, addWarning('late'));
    expect(await late).toBeNull();
    expect(await lectures.read(record.id)).toBeNull();
    expect(await blobs.list(lecturePrefix(record.id))).toEqual([recordKey(record.id, deletionVersion)]);
  });

  it('read: at any moment of a deletion, gives the whole record or null, and never a record after null', async () => {
    const record = await makeFull();
    let deleting = true;
    const reader = (async () => {
      const seen: (number | null)[] = [];
      while (deleting) seen.push((await lectures.read(record.id))?.version ?? null);
      return seen;
    })();
    await lectures.delete(record.id);
    deleting = false;
    const seen = await reader;
    const firstNull = seen.indexOf(null);
    if (firstNull >= 0) expect(seen.slice(firstNull).every((version) => version === null)).toBe(true);
    expect(seen.every((version) => version === null || version === 2)).toBe(true);
  });

  it('delete: that dies at any step, reads as null from its first step on and is finished by the next call', async () => {
    for (let at = 1; ; at++) {
      const record = await makeFull();
      let steps = 0;
      const step = () => {
        if (++steps === at) throw new Error('died');
      };
      const dying: BlobStore = {
        ...blobs,
        create: async (key, body) => {
          step();
          return blobs.create(key, body);
        },
        delete: async (key) => {
          step();
          return blobs.delete(key);
        },
      };
      const died = await createLectureStore({ blobs: dying })
        .delete(record.id)
        .then(
          () => false,
          () => true,
        );
      if (at > 1) expect(await lectures.read(record.id)).toBeNull();
      else expect(await lectures.read(record.id)).not.toBeNull();
      if (at > 1 && at % 2) await lectures.finishDeletions();
      else await lectures.delete(record.id);
      expect(await blobs.list(lecturePrefix(record.id))).toEqual([recordKey(record.id, deletionVersion)]);
      expect(await blobs.stat(record.media.key)).toBeNull();
      expect(await blobs.stat(ownerMarkKey(record.owner, record.id))).toBeNull();
      if (!died) break;
      expect(at).toBeLessThan(50);
    }
  });

  it('delete: of a lecture that a later StudyMate wrote, takes its media too', async () => {
    const { id, owner, media } = await makeFull();
    const later = { schemaVersion: 9, id, owner, media, version: 1 };
    for (const version of [1, 2]) await blobs.put(recordKey(id, version), text(JSON.stringify(later)));
    await lectures.delete(id);
    expect(await blobs.list('')).toEqual([recordKey(id, deletionVersion)]);
  });

  it('finishDeletions: with a damaged deletion among them, finishes all', async () => {
    const damaged = await makeFull();
    const other = await makeFull();
    for (const { id } of [damaged, other]) {
      await lectures.delete(id);
      await blobs.put(chunkKey(id, 1, 0), text('late'));
    }
    await blobs.put(recordKey(damaged.id, deletionVersion), text('{"half'));
    expect(await lectures.finishDeletions()).toBe(2);
    const marks = [damaged, other].map(({ id }) => recordKey(id, deletionVersion));
    expect(await blobs.list('')).toEqual(marks.sort());
  });

  it('finishDeletions: removes what a late writer added, and touches no living lecture', async () => {
    const kept = await makeFull();
    const before = await blobs.list(lecturePrefix(kept.id));
    const record = await makeFull();
    await lectures.delete(record.id);
    await blobs.put(chunkKey(record.id, 1, 3), text('late'));
    expect(await lectures.finishDeletions()).toBe(1);
    expect(await lectures.finishDeletions()).toBe(0);
    expect(await blobs.list(lecturePrefix(record.id))).toEqual([recordKey(record.id, deletionVersion)]);
    expect(await blobs.list(lecturePrefix(kept.id))).toEqual(before);
  });

  it('finishDeletions: where all deletions are whole, looks at none of them', async () => {
    for (let i = 0; i < 5; i++) await lectures.delete((await makeFull()).id);
    await makeFull();
    const calls: string[] = [];
    const watched = new Proxy(blobs, {
      get: (target, name: keyof BlobStore) => {
        calls.push(name);
        return target[name];
      },
    });
    expect(await createLectureStore({ blobs: watched }).finishDeletions()).toBe(0);
    expect(calls).toEqual(['walk', 'walk']);
  });
});

describe('artifacts', () => {
  it('createArtifact: writes once; readArtifact: gives it typed, and null for none', async () => {
    const artifacts = createArtifacts({ blobs });
    const chunk = { schemaVersion: 1, index: 0, windows: [{ start: 0, end: 1, sampleOffset: 0, sampleCount: 16_000 }] };
    expect(await artifacts.readArtifact('a/chunk.json', chunkSchema)).toBeNull();
    expect(await artifacts.createArtifact('a/chunk.json', chunk)).toBe(true);
    expect(await artifacts.createArtifact('a/chunk.json', { ...chunk, index: 9 })).toBe(false);
    expect(await artifacts.readArtifact('a/chunk.json', chunkSchema)).toEqual(chunk);
  });

  it('readArtifact: of what is damaged, throws and names the key', async () => {
    const artifacts = createArtifacts({ blobs });
    await blobs.put('a/half.json', text('{"schemaVersion":1,"index"'));
    await blobs.put('a/wrong.json', text('{"schemaVersion":1,"index":"x"}'));
    for (const key of ['a/half.json', 'a/wrong.json']) {
      const damaged = { code: 'internal', retryable: false, message: expect.stringContaining(key) };
      await expect(artifacts.readArtifact(key, chunkSchema)).rejects.toMatchObject(damaged);
    }
  });

  it('createSamples, createFloats: a part of a larger array, reads back the same', async () => {
    const artifacts = createArtifacts({ blobs });
    const samples = Int16Array.from({ length: 5001 }, (_, i) => i * 13 - 32_768);
    expect(await artifacts.createSamples('a/x.pcm', samples.subarray(1))).toBe(true);
    expect(await artifacts.createSamples('a/x.pcm', samples)).toBe(false);
    expect(await artifacts.readSamples('a/x.pcm')).toEqual(samples.subarray(1));
    expect(await artifacts.createFloats('a/x.f32', Float32Array.of(0.5, -1, 3).subarray(1))).toBe(true);
    expect(await artifacts.readFloats('a/x.f32')).toEqual(Float32Array.of(-1, 3));
    expect(await artifacts.readSamples('a/none.pcm')).toBeNull();
    await blobs.put('a/odd.pcm', new Uint8Array(3));
    await expect(artifacts.readSamples('a/odd.pcm')).rejects.toMatchObject({ code: 'internal' });
  });
});
