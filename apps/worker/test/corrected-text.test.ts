import {
  flashcardsArtifactSchema,
  summaryArtifactSchema,
  transcriptArtifactSchema,
} from '@studymate/contracts/artifacts';
import type { ArtifactRef, LectureRecord } from '@studymate/contracts/lecture-record';
import { stageNames, studyStageNames } from '@studymate/contracts/stages';
import type { StageJobData } from '@studymate/queue/job-catalogue';
import { attemptOf, nextJobs } from '@studymate/queue/next-jobs';
import { toRetriedRecord } from '@studymate/queue/retry';
import {
  embeddingsKey,
  ingestManifestKey,
  passagesKey,
  studyArtifactKey,
  transcribedChunkKey,
  transcriptKey,
} from '@studymate/storage/lecture-keys';
import { createTranscriptEditStore, type TranscriptEditStore } from '@studymate/storage/transcript-edit-store';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createDonors } from '../src/donors.ts';
import { dropEarlierEmbeddings } from '../src/drop-left.ts';
import type { StageDeps } from '../src/stage-context.ts';
import { assemble } from '../src/stages/assemble.ts';
import { studyStages } from '../src/stages/study.ts';
import { createStudyInputs, type StudyInput } from '../src/stages/study-inputs.ts';
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

const models = {
  text: { acquire: async () => ({ cold: false, run: embed, release() {} }) },
  weightsName: async () => 'text#1',
} as unknown as Deps['models'];
const embed = async () => ({ value: { dimensions: 2, vectors: Float32Array.of(1, 0) }, seconds: 0 });
const createInputs = () =>
  createStudyInputs({ artifacts: runners.artifacts, edits, donors: { findEmbeddings: async () => null }, models });
const toSkipped = (stages: readonly string[]) => Object.fromEntries(stages.map((stage) => [stage, 'no_speech']));

const correct = (text: string) =>
  edits.save(record.id, async () => ({ changes: [{ id: 0, start: 0, from: heard, text }], changedSegments: 1 }));

test('a study stage reads the version that was the newest when it was asked for, whatever is corrected meanwhile', async () => {
  const inputs = createInputs();
  const run = { signal: new AbortController().signal, write: runners.artifacts };
  await correct('The missal type was cast of metal.');
  const asked = (await runners.lectures.update(record.id, (now) => toRetriedRecord(now, 'summary'))) as LectureRecord;
  await correct('The metal type was cast.');
  expect([attemptOf(asked, 'summary'), asked.studiedVersions]).toEqual([2, { summary: 1 }]);
  const texts = await Promise.all(
    [0, 1, 2].map(async (version) => {
      const input = (await inputs.read(asked, version, run)) as StudyInput;
      return input.sentences.map(({ text }) => text);
    }),
  );
  expect(texts).toEqual([[heard], ['The missal type was cast of metal.'], ['The metal type was cast.']]);
});

test('of corrections and retries at once each retry reads a version that there is, and no correction is lost', async () => {
  const { id } = record;
  const retry = () =>
    runners.lectures.update(id, (now) => {
      const ended = { ...now, artifacts: { ...now.artifacts, summary: toRef(studyArtifactKey(id, 'summary', 1)) } };
      return toRetriedRecord(ended, 'summary');
    });
  const [asked] = await Promise.all([
    Promise.all(Array.from({ length: 5 }, retry)),
    Promise.all(['one', 'two', 'three', 'four', 'five'].map(correct)),
  ]);
  for (const each of asked) {
    const read = each?.studiedVersions?.summary ?? 0;
    expect(read).toBe(each?.transcriptVersion ?? 0);
    if (read > 0) expect(await edits.read(id, read)).not.toBeNull();
  }
  const last = (await runners.lectures.read(id)) as LectureRecord;
  expect(attemptOf(last, 'summary')).toBe(6);
  const newest = await edits.read(id, last.transcriptVersion ?? 0);
  expect(newest?.versions).toHaveLength(5);
});

test('where nothing to study is left the study parts are left out, and come back with the text', async () => {
  const { id } = record;
  const made = Object.fromEntries(stageNames.map((name) => [name, toRef(studyArtifactKey(id, name as 'summary', 1))]));
  await runners.lectures.update(id, (now) => ({ ...now, artifacts: { ...made, ...now.artifacts } }));
  const studyProcess = { run: async () => ({ statements: [], keyTerms: [] }) } as unknown as StageDeps['studyProcess'];
  const runner = runners.createRunner(studyStages, { models, studyProcess, studyInputs: createInputs() });
  const study = async (wanted: 'study' | 'summary') => {
    const asked = (await runners.lectures.update(id, (now) => toRetriedRecord(now, wanted))) as LectureRecord;
    const options = { isFinal: () => true, tries: 1, signal: new AbortController().signal };
    for (const job of nextJobs(asked, { cutChunks: [], transcribedChunks: [] })) await runner.run(job, options);
    return (await runners.lectures.read(id)) as LectureRecord;
  };
  for (const [text, code] of [
    ['', 'no_speech'],
    ['—', 'no_clear_speech'],
  ] as const) {
    await correct(text);
    const left = await study('study');
    const [skipped, codes] = [left.skipped, left.warnings.map((warning) => warning.code)];
    expect([skipped, codes, left.failures]).toEqual([toSkipped(studyStageNames), [code], {}]);
    expect(Object.keys(left.artifacts)).toEqual(['ingest', 'transcribe', 'assemble']);
  }
  expect(await runners.listArtifacts(id)).not.toContain('summary/1/summary.json');
  const ended = (await runners.readEvents(id)).findLast(({ type }) => type === 'end');
  expect(ended).toMatchObject({ status: 'ready' });
  await correct('The missal type was cast of metal.');
  const back = await study('summary');
  expect([back.artifacts.summary?.attempt, back.warnings]).toEqual([4, []]);
  expect(back.skipped).toEqual(toSkipped(['chapters', 'topics', 'flashcards']));
});

test('cards that are made again of a corrected text keep their ids', async () => {
  const { id } = record;
  const card = { type: 'cloze', front: 'The missile type was cast of ____.', back: 'metal', start: 0 } as const;
  const content = [{ ...card, id: 'learnt' }];
  await runners.artifacts.createArtifact(studyArtifactKey(id, 'flashcards', 1), { schemaVersion: 1, content });
  await correct('The missal type was cast of metal.');
  const corrected = { ...card, id: 'new', front: 'The missal type was cast of ____.' };
  const studyProcess = { run: async () => [corrected] } as unknown as StageDeps['studyProcess'];
  const runner = runners.createRunner(studyStages, { models, studyProcess, studyInputs: createInputs() });
  const asked = (await runners.lectures.update(id, (now) => {
    const artifacts = { ...now.artifacts, flashcards: toRef(studyArtifactKey(id, 'flashcards', 1)) };
    return toRetriedRecord({ ...now, artifacts }, 'flashcards');
  })) as LectureRecord;
  const jobs = nextJobs(asked, { cutChunks: [], transcribedChunks: [] });
  const options = { isFinal: () => true, tries: 1, signal: new AbortController().signal };
  await runner.run(jobs.find(({ stage }) => stage === 'flashcards') as StageJobData, options);
  const key = studyArtifactKey(id, 'flashcards', 2);
  const made = await runners.artifacts.readArtifact(key, flashcardsArtifactSchema);
  expect(made?.content).toEqual([{ ...corrected, id: 'learnt' }]);
});

test('what the machine is unsure of throughout but people have corrected is studied when it is assembled again', async () => {
  const { id } = record;
  await correct('The missal type was cast of metal.');
  const content = await runners.artifacts.readArtifact(transcriptKey(id, 1), transcriptArtifactSchema);
  const segments = content?.content.segments.map((segment) => ({ ...segment, flags: ['low_confidence'] }));
  const chunk = { schemaVersion: 1, index: 0, language: 'en', languageProbability: 0.9, segments, audioSeconds: 7 };
  const made = { inferenceSeconds: 1, startedAt: record.createdAt, finishedAt: record.createdAt, cold: false };
  await runners.artifacts.createArtifact(transcribedChunkKey(id, 1, 0), { ...chunk, ...made, algorithm: 'test@1' });
  const manifest = { schemaVersion: 1, durationSeconds: 7, speechSeconds: 7, chunkCount: 1, warnings: [] };
  await runners.artifacts.createArtifact(ingestManifestKey(id, 1), manifest);
  const asked = (await runners.lectures.update(id, (now) => toRetriedRecord(now, 'assemble'))) as LectureRecord;
  const [job] = nextJobs({ ...asked, artifacts: { ingest: toRef('i') } }, { cutChunks: [0], transcribedChunks: [0] });
  const noWeights = { weightsName: () => Promise.reject(new Error('none')) } as unknown as Deps['models'];
  const runner = runners.createRunner({ assemble }, { models: noWeights });
  await runner.run(job as StageJobData, { isFinal: () => true, tries: 1, signal: new AbortController().signal });
  const assembled = (await runners.lectures.read(id)) as LectureRecord;
  expect([assembled.artifacts.assemble?.attempt, assembled.skipped, assembled.warnings]).toEqual([2, {}, []]);
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

test('embeddings of earlier versions go, those of the search index and of the newest version stay', async () => {
  const { id } = record;
  const studyInputs = createInputs();
  const drop = (of: LectureRecord) => dropEarlierEmbeddings({ ...runners, studyInputs }, of);
  await correct('The metal type was cast.');
  await correct('The missal type was cast of metal.');
  const corrected = (await runners.lectures.read(id)) as LectureRecord;
  const newest = await studyInputs.embeddingsKeyOf(corrected, 2);
  const earlier = await studyInputs.embeddingsKeyOf(corrected, 1);
  const indexed = embeddingsKey(id, 1, 'bb');
  for (const key of [newest, earlier, indexed]) await runners.artifacts.createFloats(key, new Float32Array(2));
  const listed = async () =>
    (await runners.blobs.list(`lectures/${id}/assemble/1/`)).filter((key) => key !== transcriptKey(id, 1));
  await drop(corrected);
  expect(await listed()).toHaveLength(3);
  const passages = { schemaVersion: 1, content: { inputHash: 'bb', passages: [] } };
  await runners.artifacts.createArtifact(passagesKey(id, 1), passages);
  const withChapters = { ...corrected, artifacts: { ...corrected.artifacts, chapters: toRef('chapters') } };
  // Asked for again meanwhile: the new ones may be those of the next index.
  await drop({ ...withChapters, version: corrected.version - 1 });
  expect(await listed()).toHaveLength(3);
  // The chapters are still of the machine's text; the other study parts are made one by one of the newest.
  await drop(withChapters);
  expect(await listed()).toEqual([indexed, newest].sort());
  await drop({ ...withChapters, studiedVersions: { chapters: 2 } });
  expect(await listed()).toEqual([indexed]);
});

test('embeddings of a text to which no chapters belong go but for those of the newest version', async () => {
  const { id } = record;
  const studyInputs = createInputs();
  const newest = await studyInputs.embeddingsKeyOf(record, 0);
  for (const key of [newest, embeddingsKey(id, 1, 'bb')]) {
    await runners.artifacts.createFloats(key, new Float32Array(2));
  }
  const left = { ...record, skipped: { chapters: 'no_speech' } } as const;
  const lost = { embeddingsKeyOf: () => Promise.reject(new Error('no weights')) };
  await dropEarlierEmbeddings({ ...runners, studyInputs: lost }, left);
  expect(await runners.blobs.list(`lectures/${id}/assemble/1/`)).toHaveLength(3);
  await dropEarlierEmbeddings({ ...runners, studyInputs }, left);
  expect(await runners.blobs.list(`lectures/${id}/assemble/1/`)).toEqual([newest, transcriptKey(id, 1)].sort());
});
