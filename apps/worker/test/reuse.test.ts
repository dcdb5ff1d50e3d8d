import type { Chunk, TranscribedChunk } from '@studymate/contracts/artifacts';
import { AppError } from '@studymate/contracts/errors';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import { type StudyStageName, studyStageNames } from '@studymate/contracts/stages';
import { nextJobs } from '@studymate/queue/next-jobs';
import { toRetriedRecord } from '@studymate/queue/retry';
import { chunkKey, embeddingsKey, ingestManifestKey, transcribedChunkKey } from '@studymate/storage/lecture-keys';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createDonors } from '../src/donors.ts';
import type { StageDeps } from '../src/stage-context.ts';
import type { StageRunner } from '../src/stage-runner.ts';
import { stages } from '../src/stages/stages.ts';
import { createStudyInputs, hashOfEmbedded } from '../src/stages/study-inputs.ts';
import { openTestRunners, type RunnerDeps, type TestRunners } from './support/test-runner.ts';

let runners: TestRunners;
beforeAll(async () => {
  runners = await openTestRunners();
});
afterAll(() => runners.close());
beforeEach(() => {
  runners.reused.length = 0;
});

const weights = { whisper: 'whisper-base#11111111', vad: 'silero-vad#22222222', text: 'all-MiniLM-L6-v2#33333333' };
const namesOf = (names: typeof weights): Pick<StageDeps['models'], 'speechAlgorithm' | 'weightsName'> => ({
  speechAlgorithm: async () => `${names.whisper}/onnx@2`,
  weightsName: async (role) => names[role],
});
const speechAlgorithm = `${weights.whisper}/onnx@2`;
const ingestAlgorithm = `ffmpeg+${weights.vad}@2`;
const startedAt = '2026-01-01T00:00:00.000Z';
const never = new AbortController().signal;
const sentences = ['Movable type was made of metal.', 'A press gave many copies of a page.'];
const results: Record<StudyStageName | 'searchIndex', unknown> = {
  searchIndex: { passages: [], index: new Uint8Array(4) },
  chapters: [{ start: 0, end: 20, title: 'Printing', level: 'general' }],
  topics: [],
  summary: { statements: [{ text: sentences[0], start: 0, end: 10 }], keyTerms: [] },
  flashcards: [],
};

/** A worker whose models and study process say who asked for them; the test says what they are allowed to answer. */
function createRunner(options: { weights?: Partial<typeof weights>; canStudy?: boolean; deps?: RunnerDeps } = {}) {
  const asked: string[] = [];
  const acquire = (family: string) => async () => {
    asked.push(family);
    throw new AppError('model_missing', `the ${family} model was asked for`);
  };
  const models = {
    speech: { acquire: acquire('speech') },
    text: { acquire: acquire('text') },
    ...namesOf({ ...weights, ...options.weights }),
  } as unknown as StageDeps['models'];
  const studyProcess = {
    async run(operation: StudyStageName | 'searchIndex') {
      asked.push(operation);
      if (options.canStudy) return results[operation];
      throw new AppError('internal', 'the study process was asked for', { retryable: false });
    },
  } as unknown as StageDeps['studyProcess'];
  const { artifacts, lectures } = runners;
  const donors = options.deps?.donors ?? createDonors({ artifacts, lectures });
  const studyInputs = createStudyInputs({ artifacts, edits: { read: async () => null }, models, donors });
  const runner = runners.createRunner(stages, { models, studyProcess, studyInputs, donors, ...options.deps });
  return { runner, asked };
}

/** Does what the lecture needs until nothing is left. */
async function study(runner: StageRunner, lectureId: string): Promise<LectureRecord> {
  for (;;) {
    const record = await runners.lectures.read(lectureId);
    if (!record) throw new Error('the lecture is gone');
    const jobs = nextJobs(record, await runners.lectures.readIndex(record));
    if (jobs.length === 0) return record;
    for (const job of jobs) await runner.run(job, { isFinal: () => true, tries: 1, signal: never }).catch(() => {});
  }
}

const cutChunk = (index: number): Chunk => ({
  schemaVersion: 1,
  index,
  windows: [{ start: index * 10, end: index * 10 + 10, sampleOffset: 0, sampleCount: 160_000 }],
});

function transcribedChunk(index: number): TranscribedChunk {
  const text = sentences[index] ?? '';
  const words = text.split(' ').map((word, i) => {
    const start = index * 10 + i / 2;
    return { word, start, end: start + 0.4, probability: 0.9 };
  });
  const segment = { id: 0, start: index * 10, end: index * 10 + 8, text, confidence: 0.9, flags: [], words };
  return {
    schemaVersion: 1,
    index,
    language: 'en',
    languageProbability: 0.99,
    segments: [segment],
    audioSeconds: 10,
    inferenceSeconds: 3,
    startedAt,
    finishedAt: startedAt,
    cold: true,
    algorithm: speechAlgorithm,
  };
}

const media = { fileName: 'a.mp3', contentType: 'audio/mpeg', bytes: 10, sha256: 'abcdef' };
let recordings = 0;
/** Every test has a recording of its own; each upload of it is a file of its own. */
const makeMedia = async (sha256 = `${++recordings}`.padStart(64, '0')) => {
  const key = `media/up-${++recordings}`;
  await runners.blobs.put(key, Buffer.from('recording'));
  return { ...media, key, sha256 };
};

/** A lecture as a first upload leaves it: cut into two chunks, the first `transcribed` of them with their text. */
async function makeDonor(transcribed: number, changes: Partial<LectureRecord> = {}): Promise<LectureRecord> {
  const { artifacts, lectures } = runners;
  const { id } = await runners.makeLecture({ media: await makeMedia(), detectedLanguage: 'en', ...changes });
  for (const index of [0, 1]) {
    await artifacts.createArtifact(chunkKey(id, 1, index), cutChunk(index));
    if (index < transcribed) {
      await artifacts.createArtifact(transcribedChunkKey(id, 1, index), transcribedChunk(index));
    }
  }
  const manifest = { schemaVersion: 1, durationSeconds: 20, speechSeconds: 18, chunkCount: 2, warnings: [] };
  await artifacts.createArtifact(ingestManifestKey(id, 1), manifest);
  const key = ingestManifestKey(id, 1);
  const pinned = { key, schemaVersion: 1, algorithm: ingestAlgorithm, attempt: 1, startedAt, seconds: 4, cold: true };
  return (await lectures.update(id, (record) => ({ ...record, artifacts: { ingest: pinned } }))) as LectureRecord;
}

/** A donor that has everything, its embeddings included. */
async function makeReadyDonor(changes: Partial<LectureRecord> = {}): Promise<LectureRecord> {
  const donor = await makeDonor(2, changes);
  const { artifacts, lectures } = runners;
  const models = namesOf(weights) as unknown as StageDeps['models'];
  const donors = createDonors({ artifacts, lectures });
  const studyInputs: StageDeps['studyInputs'] = {
    async read(record, _version, { write }) {
      const key = embeddingsKey(record.id, 1, hashOfEmbedded(sentences, weights.text));
      await write.createFloats(key, new Float32Array(8));
      const embeddings = { dimensions: 4, vectors: new Float32Array(8) };
      return { sentences: [], embeddings, language: 'en', weights: weights.text, cold: true };
    },
  };
  const studyProcess = {
    run: async (name: StudyStageName | 'searchIndex') => results[name],
  } as unknown as StageDeps['studyProcess'];
  return study(runners.createRunner(stages, { models, studyInputs, studyProcess, donors }), donor.id);
}

/** The same recording, uploaded again. */
async function uploadAgain(donor: LectureRecord, changes: Partial<LectureRecord> = {}): Promise<LectureRecord> {
  const { requestedLanguage } = donor;
  return runners.makeLecture({ requestedLanguage, media: await makeMedia(donor.media.sha256), ...changes });
}

const read = async (key: string) => JSON.parse(Buffer.from((await runners.blobs.read(key)) ?? []).toString());
const marksOf = async (id: string) => (await runners.blobs.list('owners/')).filter((key) => key.endsWith(`/${id}`));

describe('the same recording uploaded again', () => {
  test('is ready without any model, with equal artifacts of its own that say they were taken over', async () => {
    const donor = await makeReadyDonor();
    runners.reused.length = 0;
    const { runner, asked } = createRunner();
    const again = await study(runner, (await uploadAgain(donor)).id);
    expect(asked).toEqual([]);
    expect(runners.reused.map((job) => job.stage)).toEqual(['ingest', ...studyStageNames]);
    expect(again).toMatchObject({ durationSeconds: 20, detectedLanguage: 'en', failures: {}, warnings: [] });
    for (const stage of ['assemble', ...studyStageNames] as const) {
      const [mine, theirs] = [again.artifacts[stage], donor.artifacts[stage]];
      expect(mine?.key).toContain(again.id);
      expect(await read(mine?.key ?? '')).toEqual(await read(theirs?.key ?? ''));
    }
    for (const stage of ['ingest', 'transcribe', ...studyStageNames] as const) {
      expect(again.artifacts[stage]).toMatchObject({ reused: true, cold: null });
      expect(donor.artifacts[stage]?.reused).toBeUndefined();
      expect(again.artifacts[stage]?.seconds).toBeLessThan(donor.artifacts.ingest?.seconds ?? 0);
    }
    const nameOf = (key: string) => key.split('/').slice(2).join('/');
    const namesOf = async (id: string) =>
      (await runners.blobs.list(`lectures/${id}/`)).map(nameOf).filter((name) => !name.startsWith('records/'));
    expect(await namesOf(again.id)).toEqual(await namesOf(donor.id));
    const text = (await runners.readEvents(again.id)).flatMap((event) => (event.type === 'segments' ? [event] : []));
    expect(text.map(({ chunk, from, count }) => ({ chunk, from, count }))).toEqual([
      { chunk: 0, from: 0, count: 1 },
      { chunk: 1, from: 1, count: 1 },
    ]);
  });

  test('and deleted, and the first one deleted: each keeps what it has until it goes itself', async () => {
    const donor = await makeReadyDonor();
    const again = await study(createRunner().runner, (await uploadAgain(donor)).id);
    const third = await study(createRunner().runner, (await uploadAgain(donor)).id);
    const mine = await runners.listArtifacts(again.id);
    await runners.lectures.delete(donor.id);
    expect(await runners.listArtifacts(again.id)).toEqual(mine);
    await runners.lectures.delete(third.id);
    const fourth = await study(createRunner().runner, (await uploadAgain(again)).id);
    expect(fourth.artifacts.summary?.reused).toBe(true);
    for (const { id, media: recording } of [again, fourth]) {
      expect(await marksOf(id)).toHaveLength(2);
      await runners.lectures.delete(id);
      expect(await runners.blobs.stat(recording.key)).toBeNull();
    }
    for (const { id } of [donor, again, third, fourth]) {
      expect(await runners.listArtifacts(id)).toEqual([]);
      expect(await marksOf(id)).toEqual([]);
    }
  });

  const unlike: Record<string, [Partial<LectureRecord>, Parameters<typeof createRunner>[0]]> = {
    'by another owner': [{ owner: 'somebody-else' }, {}],
    'in another language': [{ requestedLanguage: 'de' }, {}],
    'with another glossary': [{ recognition: { glossary: ['Caxton'] } }, {}],
    'transcribed by another model': [{}, { weights: { whisper: 'whisper-small#11111111' } }],
    'transcribed by the same model with other weights': [{}, { weights: { whisper: 'whisper-base#44444444' } }],
    'cut by a detector with other weights': [{}, { weights: { vad: 'silero-vad#44444444' } }],
    'of another size under the same digest': [{ media: { ...media, key: 'media/x', sha256: '', bytes: 11 } }, {}],
    'by a user who asks for everything to be made again': [{ attempts: { ingest: 2, transcribe: 2 } }, {}],
  };
  test.each(Object.entries(unlike))('%s: nothing is taken over', async (_, [changes, options]) => {
    const donor = await makeReadyDonor();
    const fitted = changes.media ? { media: { ...changes.media, sha256: donor.media.sha256 } } : {};
    const again = await uploadAgain(donor, { ...changes, ...fitted });
    runners.reused.length = 0;
    const { runner } = createRunner(options);
    const record = await study(runner, again.id);
    expect(runners.reused).toEqual([]);
    expect(record.failures.ingest).toBeDefined();
    expect(await runners.blobs.list(`lectures/${again.id}/transcribe/`)).toEqual([]);
  });

  test('with other weights of the text model: the text is taken over, and nothing that was studied of it', async () => {
    const donor = await makeReadyDonor();
    runners.reused.length = 0;
    const { runner, asked } = createRunner({ weights: { text: 'all-MiniLM-L6-v2#44444444' } });
    const again = await study(runner, (await uploadAgain(donor)).id);
    expect(runners.reused.map((job) => job.stage)).toEqual(['ingest']);
    expect(asked).toContain('text');
    expect(Object.keys(again.failures).sort()).toEqual([...studyStageNames].sort());
    expect((await runners.listArtifacts(again.id)).filter((name) => name.endsWith('.f32'))).toEqual([]);
  });

  test('when only shorter recordings are taken by now: nothing is taken over', async () => {
    const donor = await makeReadyDonor();
    const again = await uploadAgain(donor);
    const donors = createDonors(runners);
    const settings = { ingestAlgorithm, speechAlgorithm, maxMediaSeconds: 20 };
    expect(await donors.findDoneChunks(again, settings)).not.toBeNull();
    expect(await donors.findDoneChunks(again, { ...settings, maxMediaSeconds: 19 })).toBeNull();
    expect(
      await donors.findDoneChunks(again, { ...settings, ingestAlgorithm: ingestAlgorithm.replace('@2', '@3') }),
    ).toBeNull();
  });

  test('and a stage of it asked for again: that stage is made, not taken over', async () => {
    const donor = await makeReadyDonor();
    const again = await study(createRunner().runner, (await uploadAgain(donor)).id);
    await runners.lectures.update(again.id, (record) => toRetriedRecord(record, 'summary'));
    const { runner, asked } = createRunner({ canStudy: true });
    const retried = await study(runner, again.id);
    expect(asked).toEqual(['summary']);
    expect(retried.artifacts.summary).not.toHaveProperty('reused');
    expect(retried.artifacts.chapters).toEqual(again.artifacts.chapters);
  });
});

describe('a lecture whose donor', () => {
  /** The chunks of a lecture that cut the recording itself, and what became of each. */
  async function transcribeBoth(again: LectureRecord, deps: RunnerDeps = {}) {
    for (const index of [0, 1]) {
      await runners.artifacts.createArtifact(chunkKey(again.id, 1, index), cutChunk(index));
      await runners.artifacts.createSamples(`lectures/${again.id}/ingest/1/chunk-000${index}.pcm`, new Int16Array(8));
    }
    const { runner, asked } = createRunner({ deps });
    for (const part of [0, 1]) {
      const job = { lectureId: again.id, stage: 'transcribe', part, attempt: 1 } as const;
      await runner.run(job, { isFinal: () => false, tries: 1, signal: never }).catch(() => {});
    }
    const { transcribedChunks } = await runners.lectures.readIndex(again);
    return { transcribedChunks, asked };
  }

  const failure = { code: 'model_crashed', message: '', attempt: 1, failedAt: startedAt };
  const partial: Record<string, Partial<LectureRecord>> = {
    'still runs': {},
    'was cancelled': { cancelledAt: startedAt },
    'has failed': { failures: { transcribe: failure } },
  };
  test.each(Object.entries(partial))(
    '%s takes over the chunks that are there and makes the others',
    async (_, changes) => {
      const donor = await makeDonor(1, changes);
      const again = await uploadAgain(donor);
      const { transcribedChunks, asked } = await transcribeBoth(again);
      expect(transcribedChunks).toEqual([0]);
      expect(asked).toEqual(['speech']);
      const mine = await read(transcribedChunkKey(again.id, 1, 0));
      expect(mine).toMatchObject({ segments: transcribedChunk(0).segments, reused: true, inferenceSeconds: 0 });
      expect(mine.startedAt).not.toBe(startedAt);
    },
  );

  test('spoke another language than this one turned out to speak makes its own', async () => {
    const again = await uploadAgain(await makeDonor(2), { detectedLanguage: 'de' });
    expect((await transcribeBoth(again)).transcribedChunks).toEqual([]);
  });

  test('was cut in other places makes its own', async () => {
    const donor = await makeDonor(0);
    const again = await uploadAgain(donor);
    await runners.artifacts.createArtifact(transcribedChunkKey(donor.id, 1, 0), transcribedChunk(0));
    await runners.blobs.put(chunkKey(donor.id, 1, 0), Buffer.from(JSON.stringify({ ...cutChunk(1), index: 0 })));
    expect((await transcribeBoth(again)).transcribedChunks).toEqual([]);
  });

  test('is damaged is passed over, and one behind it is found', async () => {
    const first = await makeDonor(2);
    await runners.blobs.put(transcribedChunkKey(first.id, 1, 0), Buffer.from('{"half'));
    const second = await makeDonor(2, { media: await makeMedia(first.media.sha256) });
    await runners.blobs.put(chunkKey(second.id, 1, 0), Buffer.from('{"half'));
    await makeDonor(1, { media: await makeMedia(first.media.sha256) });
    const { transcribedChunks, asked } = await transcribeBoth(await uploadAgain(first));
    expect(transcribedChunks).toEqual([0, 1]);
    expect(asked).toEqual([]);
  });

  test('is deleted while its chunks are read does the work itself', async () => {
    const donor = await makeReadyDonor();
    const again = await uploadAgain(donor);
    const { artifacts, lectures } = runners;
    const readArtifact: typeof artifacts.readArtifact = async (key, schema) => {
      const artifact = await artifacts.readArtifact(key, schema);
      if (key === transcribedChunkKey(donor.id, 1, 0)) await lectures.delete(donor.id);
      return artifact;
    };
    const donors = createDonors({ artifacts: { ...artifacts, readArtifact }, lectures });
    const settings = { speechAlgorithm, language: null };
    expect(await donors.findTranscribedChunk(again, cutChunk(0), settings)).toMatchObject({ index: 0 });
    const { runner, asked } = createRunner({ deps: { donors } });
    await study(runner, again.id);
    expect(asked).toEqual(['speech']);
    expect((await runners.listFiles()).filter((file) => file.includes(donor.id))).toHaveLength(1);
  });

  test('lacks one study stage takes over the others, and makes that one without the model', async () => {
    const donor = await makeReadyDonor();
    await runners.lectures.update(donor.id, (record) => {
      const { summary: _, ...artifacts } = record.artifacts;
      return { ...record, artifacts, failures: { summary: { ...failure } } };
    });
    const { runner, asked } = createRunner({
      canStudy: true,
      deps: {
        studyInputs: {
          read: async () => ({
            sentences: [],
            embeddings: { dimensions: 1, vectors: new Float32Array() },
            language: 'en',
            weights: weights.text,
            cold: null,
          }),
        },
      },
    });
    runners.reused.length = 0;
    const again = await study(runner, (await uploadAgain(donor)).id);
    expect(asked).toEqual(['summary']);
    expect(again.artifacts.summary).not.toHaveProperty('reused');
    expect(runners.reused.map((job) => job.stage)).toEqual(['ingest', 'chapters', 'topics', 'flashcards']);
    expect(await runners.listArtifacts(again.id)).toContainEqual(
      expect.stringMatching(/^assemble\/1\/embeddings-[0-9a-f]{16}\.f32$/),
    );
  });

  test('is one of very many: the newest and the oldest few are looked at', async () => {
    const donor = await makeDonor(2);
    for (let i = 0; i < 20; i++) await uploadAgain(donor);
    const again = await uploadAgain(donor);
    let reads = 0;
    const lectures = {
      ...runners.lectures,
      async read(id: string) {
        reads++;
        return runners.lectures.read(id);
      },
    };
    const donors = createDonors({ ...runners, lectures });
    const settings = { ingestAlgorithm, speechAlgorithm, maxMediaSeconds: 3_600 };
    expect(await donors.findDoneChunks(again, settings)).not.toBeNull();
    await runners.lectures.delete(donor.id);
    expect(await donors.findDoneChunks(again, settings)).toBeNull();
    expect(reads).toBeLessThanOrEqual(16);
  });
});
