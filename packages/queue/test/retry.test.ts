import { AppError } from '@studymate/contracts/errors';
import { createId } from '@studymate/contracts/ids';
import type { ArtifactRef, LectureRecord } from '@studymate/contracts/lecture-record';
import { type StageName, stageNames, studyStageNames } from '@studymate/contracts/stages';
import { expect, test } from 'vitest';
import { nextJobs, studiedVersionOf } from '../src/next-jobs.ts';
import { toRepeatedRecord, toRetriedRecord } from '../src/retry.ts';

const artifact = (stage: StageName): ArtifactRef => ({
  key: `${stage}/1`,
  schemaVersion: 1,
  algorithm: 'test@1',
  attempt: 1,
  startedAt: '2026-01-01T00:00:00.000Z',
  seconds: 1,
  cold: null,
});

function recordWith(done: readonly StageName[], failed: readonly StageName[] = []): LectureRecord {
  const failure = { code: 'model_crashed', message: 'ended', attempt: 1, failedAt: '2026-01-01T00:00:00.000Z' };
  return {
    schemaVersion: 1,
    id: createId(),
    version: 4,
    owner: 'local',
    title: 'Printing',
    courseId: null,
    requestedLanguage: null,
    media: { key: 'media/x', fileName: 'x.mp3', contentType: 'audio/mpeg', bytes: 1, sha256: '00' },
    createdAt: '2026-01-01T00:00:00.000Z',
    cancelledAt: null,
    durationSeconds: 60,
    detectedLanguage: 'en',
    warnings: [{ code: 'incomplete_media', message: 'cut short' }],
    attempts: {},
    artifacts: Object.fromEntries(done.map((stage) => [stage, artifact(stage)])),
    failures: Object.fromEntries(failed.map((stage) => [stage, failure])),
    skipped: {},
  };
}

const codeOf = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
  return 'nothing thrown';
};

test('retry of a failed study stage: only that stage gets a new attempt and is asked for again', () => {
  const record = recordWith(['ingest', 'transcribe', 'assemble', 'chapters', 'topics', 'flashcards'], ['summary']);
  const retried = toRetriedRecord(record, 'summary');
  expect(retried.attempts).toEqual({ summary: 2 });
  expect(retried.failures).toEqual({});
  expect(Object.keys(retried.artifacts)).toEqual(Object.keys(record.artifacts));
  const jobs = nextJobs(retried, { cutChunks: [0], transcribedChunks: [0] });
  expect(jobs).toEqual([{ lectureId: record.id, stage: 'summary', part: 0, attempt: 2 }]);
});

test('retry of a done study stage: its artifact no longer counts, the record given is unchanged', () => {
  const record = recordWith(stageNames);
  const retried = toRetriedRecord(record, 'topics');
  expect(retried.artifacts.topics).toBeUndefined();
  expect(record.artifacts.topics).toBeDefined();
  expect(record.attempts).toEqual({});
});

test.each(['ingest', 'transcribe'] as const)('retry of a failed %s: everything begins anew with ingest', (stage) => {
  const record = recordWith(stage === 'ingest' ? [] : ['ingest'], [stage]);
  const retried = toRetriedRecord(record, stage);
  for (const name of stageNames) expect(retried.attempts[name]).toBe(2);
  expect(retried).toMatchObject({ artifacts: {}, failures: {}, durationSeconds: null, detectedLanguage: null });
  expect(retried.warnings).toEqual([]);
  const jobs = nextJobs(retried, { cutChunks: [], transcribedChunks: [] });
  expect(jobs).toEqual([{ lectureId: record.id, stage: 'ingest', part: 0, attempt: 2 }]);
});

test('retry of assemble in a ready lecture: what cites the old transcript is made again, the chunks are kept', () => {
  const retried = toRetriedRecord(recordWith(stageNames), 'assemble');
  expect(Object.keys(retried.artifacts)).toEqual(['ingest', 'transcribe']);
  const jobs = nextJobs(retried, { cutChunks: [0, 1], transcribedChunks: [0, 1] });
  expect(jobs.map((job) => `${job.stage} ${job.attempt}`)).toEqual(['assemble 2']);
});

test('retry twice at once: the second finds a stage that has not ended and is refused', () => {
  const once = toRetriedRecord(recordWith(['ingest', 'transcribe', 'assemble'], ['summary']), 'summary');
  expect(codeOf(() => toRetriedRecord(once, 'summary'))).toBe('not_ready');
});

test('retry of a stage that waits or was skipped: refused with the reason', () => {
  const silent: LectureRecord = { ...recordWith(['ingest']), skipped: { chapters: 'no_speech' } };
  expect(codeOf(() => toRetriedRecord(recordWith(['ingest']), 'chapters'))).toBe('not_ready');
  expect(codeOf(() => toRetriedRecord(silent, 'chapters'))).toBe('stage_skipped');
});

test('stages that nobody asked for: stay left out when all is done again, and a retry of one is refused', () => {
  const skipped = { chapters: 'not_asked', summary: 'no_speech' } as const;
  const record: LectureRecord = { ...recordWith(['ingest'], ['transcribe']), skipped };
  for (const again of [toRetriedRecord(record, 'transcribe'), toRepeatedRecord(record, 'ingest')]) {
    expect(again.skipped).toEqual({ chapters: 'not_asked' });
    expect([again.attempts.chapters, again.attempts.summary]).toEqual([undefined, 2]);
  }
  expect(codeOf(() => toRetriedRecord(record, 'chapters'))).toBe('stage_skipped');
});

test('retry of a cancelled lecture: it goes on, and what was interrupted gets a new attempt', () => {
  const cancelledAt = '2026-01-01T00:00:00.000Z';
  const early = toRetriedRecord({ ...recordWith(['ingest']), cancelledAt }, 'transcribe');
  expect(early).toMatchObject({ cancelledAt: null, artifacts: {} });
  expect(Object.keys(early.attempts).sort()).toEqual([...stageNames].sort());

  const late = { ...recordWith(['ingest', 'transcribe', 'assemble', 'chapters']), cancelledAt };
  const resumed = toRetriedRecord(late, 'topics');
  expect(Object.keys(resumed.artifacts)).toEqual(['ingest', 'transcribe', 'assemble', 'chapters']);
  expect(resumed.attempts).toMatchObject({ topics: 2, summary: 2, flashcards: 2 });
  expect(resumed.attempts.chapters ?? 1).toBe(1);
});

test('of a corrected transcript: what is done again reads its newest version, all other parts say what they were made of', () => {
  const record = { ...recordWith(stageNames), transcriptVersion: 3, studiedVersions: { summary: 1, topics: 2 } };
  expect(toRetriedRecord(record, 'summary').studiedVersions).toEqual({ summary: 3, topics: 2 });
  const all = { chapters: 3, topics: 3, summary: 3, flashcards: 3 };
  expect(toRetriedRecord(record, 'transcribe')).toMatchObject({ studiedVersions: all, transcriptVersion: 3 });
  const { studiedVersions, ...machine } = toRetriedRecord(recordWith(stageNames), 'summary');
  expect([studiedVersions, studiedVersionOf(machine, 'summary')]).toEqual([undefined, 0]);
});

test('of a corrected transcript in which no speech was found: the study stages look again, others stay left out', () => {
  const skipped = { ...Object.fromEntries(studyStageNames.map((stage) => [stage, 'no_speech'])), topics: 'not_asked' };
  const warnings = ['damaged_media', 'no_clear_speech'].map((code) => ({ code, message: '' }));
  const heard = recordWith(['ingest', 'transcribe', 'assemble']);
  const record = { ...heard, skipped, warnings, transcriptVersion: 1 } as LectureRecord;
  const again = toRetriedRecord(record, 'study');
  expect([again.skipped, again.warnings]).toEqual([{ topics: 'not_asked' }, warnings.slice(0, 1)]);
  const jobs = nextJobs(again, { cutChunks: [], transcribedChunks: [] });
  expect(jobs.map(({ stage, attempt }) => `${stage} ${attempt}`)).toEqual(['chapters 2', 'summary 2', 'flashcards 2']);
  expect(codeOf(() => toRetriedRecord(again, 'study'))).toBe('not_ready');
  expect(codeOf(() => toRetriedRecord(record, 'topics'))).toBe('stage_skipped');
  const { transcriptVersion: _, ...uncorrected } = record;
  expect(codeOf(() => toRetriedRecord(uncorrected, 'study'))).toBe('stage_skipped');
  // Said again by the stage that finds so, once.
  expect(toRetriedRecord(uncorrected, 'assemble').warnings).toEqual(warnings.slice(0, 1));
});

test('retry of all study parts: those that were left out stay so, and one that has not ended is refused', () => {
  const record = recordWith(stageNames);
  const again = toRetriedRecord(record, 'study');
  expect(Object.keys(again.artifacts)).toEqual(['ingest', 'transcribe', 'assemble']);
  expect(again.attempts).toEqual({ chapters: 2, topics: 2, summary: 2, flashcards: 2 });
  expect(codeOf(() => toRetriedRecord(again, 'study'))).toBe('not_ready');
  const skipped = { chapters: 'not_asked' } as const;
  expect(toRetriedRecord({ ...record, skipped }, 'study').attempts).toEqual({ topics: 2, summary: 2, flashcards: 2 });
  const silent = Object.fromEntries(studyStageNames.map((stage) => [stage, 'no_speech' as const]));
  expect(codeOf(() => toRetriedRecord({ ...record, skipped: silent }, 'study'))).toBe('stage_skipped');
});
