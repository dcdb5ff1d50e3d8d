import type { ArtifactIndex, LectureRecord } from '@studymate/contracts/lecture-record';
import { studyStageNames } from '@studymate/contracts/stages';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type JobSpec, nextJobs, toJobId } from '../src/next-jobs.ts';
import { artifactRef, emptyIndex, lectureId, lectureRecord } from './lecture-fixtures.ts';
import { createLectureWorld } from './lecture-world.ts';

const names = (jobs: JobSpec[]) =>
  jobs.map((job) => (job.stage === 'transcribe' ? `transcribe ${job.part}` : job.stage));

describe('nextJobs', () => {
  test('a new lecture needs ingest alone', () => {
    expect(names(nextJobs(lectureRecord(), emptyIndex))).toEqual(['ingest']);
  });

  test('chunks are asked for while ingest still cuts', () => {
    const jobs = nextJobs(lectureRecord(), { cutChunks: [0, 1, 2], transcribedChunks: [0] });
    expect(names(jobs)).toEqual(['ingest', 'transcribe 1', 'transcribe 2']);
  });

  test('assembly waits for the end of ingest and for every chunk', () => {
    const all = { cutChunks: [0, 1], transcribedChunks: [0, 1] };
    expect(names(nextJobs(lectureRecord(), all))).toEqual(['ingest']);
    const ingested = lectureRecord({ artifacts: { ingest: artifactRef() } });
    expect(names(nextJobs(ingested, { ...all, transcribedChunks: [0] }))).toEqual(['transcribe 1']);
    expect(names(nextJobs(ingested, all))).toEqual(['assemble']);
  });

  test('a recording without speech, no chunk at all, goes straight to assembly', () => {
    expect(names(nextJobs(lectureRecord({ artifacts: { ingest: artifactRef() } }), emptyIndex))).toEqual(['assemble']);
  });

  test('study stages run side by side, and one that failed or is done is left out', () => {
    const artifacts = { ingest: artifactRef(), transcribe: artifactRef(), assemble: artifactRef() };
    expect(names(nextJobs(lectureRecord({ artifacts }), emptyIndex))).toEqual([...studyStageNames]);
    const failed = lectureRecord({
      artifacts: { ...artifacts, chapters: artifactRef() },
      failures: { topics: { code: 'internal', message: '', attempt: 1, failedAt: '2026-01-01T00:00:00.000Z' } },
    });
    expect(names(nextJobs(failed, emptyIndex))).toEqual(['summary', 'flashcards']);
  });

  test('a failed stage asked for again runs under a new id', () => {
    const record = lectureRecord({
      attempts: { ingest: 2 },
      failures: { ingest: { code: 'not_media', message: '', attempt: 1, failedAt: '2026-01-01T00:00:00.000Z' } },
    });
    const [job] = nextJobs(record, emptyIndex);
    expect(job).toEqual({ lectureId, stage: 'ingest', part: 0, attempt: 2 });
    expect(toJobId(job as JobSpec)).toBe(`${lectureId}-ingest-0-2`);
  });

  test('a cancelled lecture needs nothing', () => {
    const record = lectureRecord({ cancelledAt: '2026-01-01T00:00:00.000Z' });
    expect(nextJobs(record, { cutChunks: [0], transcribedChunks: [] })).toEqual([]);
  });
});

/** A worker in miniature: what finishing or giving up a job does to what is kept. */
function finish(record: LectureRecord, index: ArtifactIndex, job: JobSpec, chunkCount: number, fails: boolean) {
  if (fails) {
    const failure = { code: 'internal', message: '', attempt: job.attempt, failedAt: '2026-01-01T00:00:00.000Z' };
    return { record: { ...record, failures: { ...record.failures, [job.stage]: failure } }, index };
  }
  if (job.stage === 'transcribe') {
    return {
      record,
      index: { ...index, transcribedChunks: [...index.transcribedChunks, job.part].sort((a, b) => a - b) },
    };
  }
  const artifacts = { ...record.artifacts, [job.stage]: artifactRef(job.attempt) };
  if (job.stage === 'assemble') artifacts.transcribe = artifactRef();
  const cutChunks = job.stage === 'ingest' ? Array.from({ length: chunkCount }, (_, i) => i) : index.cutChunks;
  return { record: { ...record, artifacts }, index: { ...index, cutChunks } };
}

test('from any order of finishing and failing, work ends and no job is asked for again once it is settled', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 6 }),
      fc.array(fc.record({ pick: fc.nat(100), fails: fc.boolean(), cut: fc.boolean() }), {
        minLength: 40,
        maxLength: 60,
      }),
      fc.double({ min: 0, max: 0.4, noNaN: true }),
      (chunkCount, steps, failShare) => {
        let record = lectureRecord();
        let index: ArtifactIndex = emptyIndex;
        const settled = new Set<string>();
        let failures = 0;
        for (const step of steps) {
          if (step.cut && !record.artifacts.ingest && index.cutChunks.length < chunkCount) {
            index = { ...index, cutChunks: [...index.cutChunks, index.cutChunks.length] };
          }
          const jobs = nextJobs(record, index);
          const ids = jobs.map(toJobId);
          expect(new Set(ids).size).toBe(ids.length);
          for (const id of ids) expect(settled.has(id)).toBe(false);
          const job = jobs[step.pick % Math.max(1, jobs.length)];
          if (!job) break;
          const fails = step.fails && failures < steps.length * failShare;
          if (fails) failures++;
          ({ record, index } = finish(record, index, job, chunkCount, fails));
          settled.add(toJobId(job));
        }
        expect(nextJobs(record, index)).toEqual([]);
        expect(settled.size).toBeLessThanOrEqual(1 + chunkCount + 1 + studyStageNames.length);
      },
    ),
    { numRuns: 300 },
  );
});

test('two workers, deaths, sleepers, a lost Redis, failures, cancels and retries in any order: work ends, nothing is made twice, and what is shown is true', () => {
  const kinds = createLectureWorld(0).events;
  /** What happens often is what moves a lecture on. */
  const event = fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom('take' as const, 'step' as const, 'step' as const) },
    { weight: 1, arbitrary: fc.constantFrom(...kinds) },
  );
  const happenings = fc.array(fc.tuple(event, fc.nat(1), fc.nat(20)), { minLength: 20, maxLength: 120 });
  const life = fc.record({ happenings, calm: fc.boolean(), retry: fc.nat(6) });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 3 }), fc.array(life, { minLength: 1, maxLength: 5 }), (chunkCount, lives) => {
      const world = createLectureWorld(chunkCount);
      world.happen('upload', 0, 0);
      for (const { happenings, calm, retry } of lives) {
        for (const [what, worker, pick] of happenings) {
          world.happen(what, worker, pick);
          expect(world.findFault()).toBeNull();
        }
        if (calm) expect(world.calmDown(200)).toBeLessThan(200);
        world.happen('retry', 0, retry);
        expect(world.findFault()).toBeNull();
      }
      expect(world.calmDown(200)).toBeLessThan(200);
      expect(world.findFault()).toBeNull();
      expect(['ready', 'partial', 'failed', 'cancelled']).toContain(world.status());
    }),
    { numRuns: 250 },
  );
});
