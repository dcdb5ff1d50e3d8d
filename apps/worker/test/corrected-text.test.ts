import { summaryArtifactSchema } from '@studymate/contracts/artifacts';
import type { ArtifactRef, LectureRecord } from '@studymate/contracts/lecture-record';
import { attemptOf } from '@studymate/queue/next-jobs';
import { toRetriedRecord } from '@studymate/queue/retry';
import { embeddingsKey, passagesKey, studyArtifactKey, transcriptKey } from '@studymate/storage/lecture-keys';
import { createTranscriptEditStore, type TranscriptEditStore } from '@studymate/storage/transcript-edit-store';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createDonors } from '../src/donors.ts';
import { dropEarlierEmbeddings } from '../src/drop-left.ts';
import { createStudyInputs } from '../src/stages/study-inputs.ts';
import { openTestRunners, type TestRunners } from './support/test-runner.ts';

type Deps = Parameters<typeof createStudyInputs>[0];

let runners: TestRunners;
let edits: TranscriptEditStore;
let record: LectureRecord;
beforeAll(async () => {
  runners = await openTestRunners();
  edits = createTranscriptEditStore(runners);
});
afterAll(() => runners.close());

const heard = 'The missile type was cast of metal.';
const toRef = (key: string, attempt = 1): ArtifactRef => ({
  ...{ key, schemaVersion: 1, algorithm: 'test@1', startedAt: '2026-01-01T00:00:00.000Z', seconds: 1, cold: null },
  attempt,
});
/** A lecture of one sentence, summed up. */
beforeEach(async () => {
  const { id } = await runners.makeLecture();
  const words = heard.split(' ').map((word, i) => ({ word, start: i, end: i + 1, probability: 0.9 }));
  const segment = { id: 0, start: 0, end: words.length, text: heard, confidence: 0.9, flags: [], words };
  const content = { language: 'en', text: heard, segments: [segment] };
  await runners.artifacts.createArtifact(transcriptKey(id, 1), { schemaVersion: 1, content });
  const summary = { schemaVersion: 1, content: { statements: [], keyTerms: [] } };
  await runners.artifacts.createArtifact(studyArtifactKey(id, 'summary', 1), summary);
  const artifacts = {
    assemble: { ...toRef(transcriptKey(id, 1)), contentSha256: 'ab' },
    summary: toRef(studyArtifactKey(id, 'summary', 1)),
  };
  record = (await runners.lectures.update(id, (current) => ({ ...current, artifacts }))) as LectureRecord;
});

const correct = (text: string) =>
  edits.save(record.id, async () => ({ changes: [{ id: 0, start: 0, from: heard, text }], changedSegments: 1 }));

test('a study stage reads the version that was the newest when it was asked for, whatever is corrected meanwhile', async () => {
  const models = {
    text: { acquire: async () => ({ cold: false, run: embed, release() {} }) },
    weightsName: async () => 'text#1',
  } as unknown as Deps['models'];
  const embed = async () => ({ value: { dimensions: 2, vectors: Float32Array.of(1, 0) }, seconds: 0 });
  const inputs = createStudyInputs({
    artifacts: runners.artifacts,
    edits,
    donors: { findEmbeddings: async () => null },
    models,
  });
  const run = { signal: new AbortController().signal, write: runners.artifacts };
  await correct('The missal type was cast of metal.');
  const asked = (await runners.lectures.update(record.id, (now) => toRetriedRecord(now, 'summary'))) as LectureRecord;
  await correct('The metal type was cast.');
  expect([attemptOf(asked, 'summary'), asked.studiedVersions]).toEqual([2, { summary: 1 }]);
  const texts = await Promise.all(
    [0, 1, 2].map(async (version) => (await inputs.read(asked, version, run)).sentences.map(({ text }) => text)),
  );
  expect(texts).toEqual([[heard], ['The missal type was cast of metal.'], ['The metal type was cast.']]);
  await correct('');
  await expect(inputs.read(asked, 3, run)).rejects.toMatchObject({ code: 'invalid_request' });
});

test('what was made of a corrected text is not handed on to another lecture with the same recording', async () => {
  const { assemble } = record.artifacts;
  const other = await runners.makeLecture({ media: record.media, artifacts: assemble ? { assemble } : {} });
  const donors = createDonors(runners);
  const find = () => donors.findStudyArtifact(other, 'summary', 'test@1', summaryArtifactSchema);
  expect(await find()).toMatchObject({ lectureId: record.id });
  await correct('The missal type was cast of metal.');
  // Corrected since, but made of what the machine has heard.
  expect(await find()).not.toBeNull();
  await runners.lectures.update(record.id, (now) => ({ ...now, studiedVersions: { summary: 1 } }));
  expect(await find()).toBeNull();
});

test('embeddings of earlier versions go, those of the search index stay', async () => {
  const { id } = record;
  const keys = ['aa', 'bb', 'cc'].map((hash) => embeddingsKey(id, 1, hash));
  for (const key of keys) await runners.artifacts.createFloats(key, new Float32Array(2));
  await dropEarlierEmbeddings(runners, record);
  expect(await runners.blobs.list(`lectures/${id}/assemble/1/`)).toHaveLength(4);
  const passages = { schemaVersion: 1, content: { inputHash: 'bb', passages: [] } };
  await runners.artifacts.createArtifact(passagesKey(id, 1), passages);
  const withChapters = { ...record, artifacts: { ...record.artifacts, chapters: toRef('chapters') } };
  // Asked for again meanwhile: the new ones may be those of the next index.
  await dropEarlierEmbeddings(runners, { ...withChapters, version: record.version - 1 });
  expect(await runners.blobs.list(`lectures/${id}/assemble/1/`)).toHaveLength(4);
  await dropEarlierEmbeddings(runners, withChapters);
  expect(await runners.blobs.list(`lectures/${id}/assemble/1/`)).toEqual([keys[1], transcriptKey(id, 1)]);
});
