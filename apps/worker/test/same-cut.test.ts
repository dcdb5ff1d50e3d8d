import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { createId } from '@studymate/contracts/ids';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import { ingestManifestKey } from '@studymate/storage/lecture-keys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StageDeps } from '../src/stage-context.ts';
import { ingest } from '../src/stages/ingest.ts';
import { openTestRunners, type TestRunners } from './support/test-runner.ts';

const execute = promisify(execFile);

let runners: TestRunners;
let sound: Buffer;
beforeAll(async () => {
  runners = await openTestRunners();
  const dir = await mkdtemp(path.join(tmpdir(), 'studymate-cut-'));
  const file = path.join(dir, 'sound.wav');
  await execute('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'sine=220:r=16000', '-t', '200', file]);
  sound = await readFile(file);
  await rm(dir, { recursive: true });
});
afterAll(() => runners.close());

/** A speech detector that hears speech for so many frames of each hundred. */
function detect(speechFrames: number): Pick<StageDeps, 'models' | 'isolation'> {
  const lease = {
    cold: false,
    async run(_: string, { samples, leadSamples }: { samples: Int16Array; leadSamples: number }) {
      const frames = Math.floor((samples.length - leadSamples) / 512);
      return { value: { probabilities: Float32Array.from({ length: frames }, (_, i) => +(i % 100 < speechFrames)) } };
    },
    release() {},
  };
  const models = {
    speech: { acquire: async () => lease },
    speechAlgorithm: async () => 'test@1',
    weightsName: async () => 'test#1',
  };
  const isolation = { prefix: [], withoutNetwork: false, memoryLimited: false, endsWithParent: false };
  return { models: models as unknown as StageDeps['models'], isolation };
}

async function makeLecture(): Promise<LectureRecord> {
  const key = `media/${createId()}`;
  const { bytes, sha256 } = await runners.blobs.put(key, sound);
  const media = { key, fileName: 'sound.wav', contentType: 'audio/wav', bytes, sha256 };
  return runners.makeLecture({ media, owner: key.slice(6), durationSeconds: null });
}

const runIngest = (lectureId: string, attempt: number, speechFrames: number) =>
  runners
    .createRunner({ ingest }, detect(speechFrames))
    .run(
      { lectureId, stage: 'ingest', part: 0, attempt },
      { isFinal: () => true, tries: 1, signal: new AbortController().signal },
    );

/** As a worker leaves it that dies before it has written how many chunks there are. */
async function forgetEnd({ id }: LectureRecord): Promise<void> {
  await runners.blobs.delete(ingestManifestKey(id, 1));
  await runners.lectures.update(id, (record) => ({ ...record, artifacts: {} }));
}

test('a second run that cuts as the first one did keeps what is there and goes on', async () => {
  const lecture = await makeLecture();
  await runIngest(lecture.id, 1, 60);
  const before = await runners.listArtifacts(lecture.id);
  await forgetEnd(lecture);
  await runIngest(lecture.id, 1, 60);
  expect((await runners.listArtifacts(lecture.id)).filter((key) => key.startsWith('ingest'))).toEqual(
    before.filter((key) => key.startsWith('ingest')),
  );
  expect((await runners.lectures.read(lecture.id))?.artifacts.ingest).toMatchObject({ attempt: 1 });
});

for (const [what, speechFrames] of [
  ['otherwise', 90],
  ['less', 0],
] as const) {
  test(`a second run that cuts ${what} begins a new attempt, and mixes nothing`, async () => {
    const lecture = await makeLecture();
    await runIngest(lecture.id, 1, 60);
    await forgetEnd(lecture);
    const before = (await runners.listArtifacts(lecture.id)).filter((key) => key.startsWith('ingest/1'));
    await runIngest(lecture.id, 1, speechFrames);
    expect((await runners.listArtifacts(lecture.id)).filter((key) => key.startsWith('ingest/'))).toEqual(before);
    const record = await runners.lectures.read(lecture.id);
    expect(record?.artifacts).toEqual({});
    expect(record?.failures).toEqual({});
    expect(record?.attempts).toMatchObject({ ingest: 2, transcribe: 2, assemble: 2 });
    const job = { lectureId: lecture.id, stage: 'ingest', part: 0, attempt: 2 } as const;
    expect(await runners.queues.findStageJob(job)).toBeDefined();

    await runIngest(lecture.id, 2, speechFrames);
    expect((await runners.lectures.read(lecture.id))?.artifacts.ingest).toMatchObject({ attempt: 2 });
  });
}
