import { readdir, readFile, rm } from 'node:fs/promises';
import * as artifactSchemas from '@studymate/contracts/artifacts';
import { storedConversationTurnSchema } from '@studymate/contracts/conversation';
import { courseRecordSchema } from '@studymate/contracts/course';
import { lectureRecordSchema } from '@studymate/contracts/lecture-record';
import { storedReviewsSchema } from '@studymate/contracts/reviews';
import { transcriptEditSchema } from '@studymate/contracts/transcript-edit';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { type ArtifactSchema, createArtifacts } from '../src/artifacts.ts';
import type { BlobStore } from '../src/blob-store.ts';
import { createFileBlobStore } from '../src/file-blob-store.ts';
import { lecturePrefix, recordKey } from '../src/lecture-keys.ts';
import { createLectureStore } from '../src/lecture-store.ts';
import {
  artifactUpgrades,
  conversationTurnUpgrades,
  courseUpgrades,
  recordUpgrades,
  reviewsUpgrades,
  transcriptEditUpgrades,
  type Upgrades,
  upgradeStored,
} from '../src/schema-upgrades.ts';
import { makeRoot, text } from './support/fixtures.ts';
import { makeRecord } from './support/records.ts';

const samplesDir = new URL('./fixtures/schemas/', import.meta.url);

/** Every kind of stored JSON with the name of its samples. */
const kinds: [name: string, schema: ArtifactSchema<unknown>, upgrades: Upgrades][] = [
  ['record', lectureRecordSchema, recordUpgrades],
  ['course', courseRecordSchema, courseUpgrades],
  ['conversation-turn', storedConversationTurnSchema, conversationTurnUpgrades],
  ['reviews', storedReviewsSchema, reviewsUpgrades],
  ['transcript-edit', transcriptEditSchema, transcriptEditUpgrades],
  ...(
    [
      ['chunk', artifactSchemas.chunkSchema],
      ['ingest-manifest', artifactSchemas.ingestManifestSchema],
      ['transcribed-chunk', artifactSchemas.transcribedChunkSchema],
      ['transcript', artifactSchemas.transcriptArtifactSchema],
      ['chapters', artifactSchemas.chaptersArtifactSchema],
      ['topics', artifactSchemas.topicsArtifactSchema],
      ['summary', artifactSchemas.summaryArtifactSchema],
      ['flashcards', artifactSchemas.flashcardsArtifactSchema],
      ['passages', artifactSchemas.passagesArtifactSchema],
      ['course-topics', artifactSchemas.courseTopicsArtifactSchema],
    ] as const
  ).map(([name, schema]): [string, ArtifactSchema<unknown>, Upgrades] => [
    name,
    schema,
    artifactUpgrades.get(schema) ?? [],
  ]),
];

const readSample = async (name: string, version: number): Promise<unknown> =>
  JSON.parse(await readFile(new URL(`${name}-${version}.json`, samplesDir), 'utf8'));

describe('samples of every schema version that was ever written', () => {
  test('there is one for each version of each kind, and each kind has its row of upgrades', async () => {
    const wanted = kinds.flatMap(([name, , upgrades]) =>
      Array.from({ length: upgrades.length + 1 }, (_, i) => `${name}-${i + 1}.json`),
    );
    expect((await readdir(samplesDir)).sort()).toEqual(wanted.sort());
    const rows = kinds
      .filter(([name]) => !['record', 'course', 'conversation-turn', 'reviews', 'transcript-edit'].includes(name))
      .map(([, schema]) => schema);
    expect(new Set(artifactUpgrades.keys())).toEqual(new Set(rows));
    // A schema is what can be parsed and has a version of its own; parts of one have none.
    const versioned = Object.values(artifactSchemas).filter((schema) => 'schemaVersion' in schema.shape);
    expect(new Set<unknown>(versioned)).toEqual(new Set<unknown>(rows));
  });

  test.each(kinds)("%s: every version is read in today's form", async (name, schema, upgrades) => {
    for (let version = 1; version <= upgrades.length + 1; version++) {
      const upgraded = upgradeStored(await readSample(name, version), upgrades);
      expect(upgraded.kind, `${name}-${version}`).toBe('current');
      const parsed = schema.safeParse(upgraded.kind === 'current' && upgraded.value);
      expect(parsed.success ? [] : parsed.error.message, `${name}-${version}`).toEqual([]);
    }
  });

  test.each(kinds)("%s: today's version is read back without losing a field", async (name, schema, upgrades) => {
    // Fails when a field was renamed or removed: give the schema a new version and an upgrade instead.
    const sample = await readSample(name, upgrades.length + 1);
    const parsed = schema.safeParse(sample);
    expect(parsed.success && parsed.data).toEqual(sample);
  });
});

describe('upgradeStored', () => {
  const upgrades: Upgrades = [
    ({ name, ...rest }) => ({ ...rest, names: [name] }),
    ({ names, ...rest }) => ({ ...rest, names: (names as string[]).map((name) => ({ name })) }),
  ];

  it('of any known version: takes each later step once, in order, and leaves the value as it was', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 3 }), fc.jsonValue(), (name, version, extra) => {
        const forms = { 1: { name }, 2: { names: [name] }, 3: { names: [{ name }] } };
        const stored = { schemaVersion: version, extra, ...forms[version as 1 | 2 | 3] };
        const before = structuredClone(stored);
        expect(upgradeStored(stored, upgrades)).toEqual({
          kind: 'current',
          value: { schemaVersion: 3, extra, names: [{ name }] },
        });
        expect(stored).toEqual(before);
      }),
    );
  });

  it('of anything at all: never throws', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(['current', 'newer', 'damaged']).toContain(upgradeStored(value, upgrades).kind);
      }),
    );
  });

  it.each([
    [{ schemaVersion: 4 }, 'newer'],
    [{ schemaVersion: 0 }, 'damaged'],
    [{ schemaVersion: 1.5 }, 'damaged'],
    [{ schemaVersion: '1' }, 'damaged'],
    [{}, 'damaged'],
    [null, 'damaged'],
    ['text', 'damaged'],
    // The second step finds no list of names.
    [{ schemaVersion: 2 }, 'damaged'],
  ])('of %j: says that it is %s', (value, kind) => {
    expect(upgradeStored(value, upgrades).kind).toBe(kind);
  });
});

describe('reading what another version wrote', () => {
  let rootDir: string;
  let blobs: BlobStore;
  beforeEach(async () => {
    rootDir = await makeRoot();
    blobs = await createFileBlobStore({ rootDir });
  });
  afterEach(async () => {
    await blobs.close();
    await rm(rootDir, { recursive: true });
  });

  const schema: ArtifactSchema<{ schemaVersion: 2; names: string[] }> = {
    safeParse: (value) =>
      typeof value === 'object' && value !== null && 'names' in value && Array.isArray(value.names)
        ? { success: true, data: value as { schemaVersion: 2; names: string[] } }
        : { success: false, error: { message: 'no names' } },
  };
  const made: ReadonlyMap<ArtifactSchema<unknown>, Upgrades> = new Map([
    [schema, [({ name, ...rest }) => ({ ...rest, names: [name] })]],
  ]);

  it("readArtifact: of an earlier version, gives today's form and leaves the bytes as they are", async () => {
    const artifacts = createArtifacts({ blobs, upgrades: made });
    const bytes = text('{"schemaVersion":1,"name":"type"}');
    await blobs.put('a/old.json', bytes);
    expect(await artifacts.readArtifact('a/old.json', schema)).toEqual({ schemaVersion: 2, names: ['type'] });
    expect(await blobs.read('a/old.json')).toEqual(Buffer.from(bytes));
  });

  it('readArtifact: of a later version, says newer_version, names both, and leaves the bytes as they are', async () => {
    const artifacts = createArtifacts({ blobs, upgrades: made });
    const bytes = text('{"schemaVersion":3,"title":"type"}');
    await blobs.put('a/new.json', bytes);
    await expect(artifacts.readArtifact('a/new.json', schema)).rejects.toMatchObject({
      code: 'newer_version',
      message: 'a/new.json has schema version 3; this StudyMate knows 2.',
    });
    expect(await blobs.read('a/new.json')).toEqual(Buffer.from(bytes));
  });

  it('readArtifact: by a schema without a row of upgrades, is refused also where there is nothing', async () => {
    const artifacts = createArtifacts({ blobs });
    await expect(artifacts.readArtifact('a/none.json', schema)).rejects.toMatchObject({ code: 'internal' });
  });

  it('a record with fields that it does not know: keeps them when it writes the next version', async () => {
    const lectures = createLectureStore({ blobs });
    const record = makeRecord();
    const ref = { key: 'k', schemaVersion: 1, algorithm: 'a@1', attempt: 1, seconds: 1, cold: null, later: 2 };
    const assemble = { ...ref, startedAt: new Date(0).toISOString() };
    await lectures.create({ ...record, artifacts: { assemble }, ...{ laterField: { of: ['anything'] } } });
    const updated = await lectures.update(record.id, (old) => ({ ...old, title: 'Another' }));
    expect(updated).toMatchObject({ title: 'Another', version: 2, laterField: { of: ['anything'] } });
    expect(await lectures.read(record.id)).toEqual(updated);
    expect(updated?.artifacts.assemble).toEqual(assemble);
  });

  it('a record of a later version: newer_version on reading and updating, and nothing is written', async () => {
    const lectures = createLectureStore({ blobs });
    const record = makeRecord();
    await lectures.create(record);
    await blobs.put(recordKey(record.id, 2), text('{"schemaVersion":2}'));
    const before = await blobs.list('');
    await expect(lectures.read(record.id)).rejects.toMatchObject({ code: 'newer_version' });
    const updated = lectures.update(record.id, (old) => ({ ...old, title: 'lost?' }));
    await expect(updated).rejects.toMatchObject({ code: 'newer_version' });
    expect(await blobs.list('')).toEqual(before);
    await lectures.delete(record.id);
    expect(await blobs.list(lecturePrefix(record.id))).toHaveLength(1);
  });
});
