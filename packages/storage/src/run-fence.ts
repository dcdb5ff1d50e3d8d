import { randomUUID } from 'node:crypto';
import { AppError } from '@studymate/contracts/errors';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import type { StageName } from '@studymate/contracts/stages';
import type { ArtifactWriter } from './artifacts.ts';
import type { BlobStore } from './blob-store.ts';
import { inBatches } from './in-batches.ts';
import { parseRunMarkKey, type RunPlace, runMarkKey, runMarksPrefix } from './lecture-keys.ts';

/** One run of a job: the only one that may write for it, until another begins or the lecture ends. */
export interface Run {
  /** 1 for the first run of the job. */
  readonly number: number;
  /** @throws AppError `superseded` when a later run has begun, or the marks were removed because the lecture ended */
  check(): Promise<void>;
  /** Removes the run's mark: it writes nothing more. For a run that finds at once that there is nothing to do. */
  release(): Promise<void>;
}

export interface RunFence {
  /** Begins a run and thereby ends the right of all earlier runs of the same job to write. */
  claim(lectureId: string, job: RunPlace): Promise<Run>;
  /**
   * Ends the right to write of every run of the record's attempts and earlier ones; runs of later attempts, which a
   * retry has begun meanwhile, keep theirs.
   */
  endRuns(record: Pick<LectureRecord, 'id' | 'attempts'>): Promise<void>;
}

/** A job is run again after an error or a death, a few times; far more means that something is broken. */
const maxRuns = 10_000;

/**
 * The fencing token of a job's runs, kept where the writes go: marks that are numbered by exclusive create. A worker
 * that was taken for dead and wakes finds the mark of the run after its own, or its own gone, and is refused.
 *
 * (M. Kleppmann, "How to do distributed locking", 2016: a lock that expires protects nothing unless the storage refuses
 * the late writer.) A folder cannot compare and write in one step, so a run asks before and after each write; what slips
 * in between meets the exclusive create of artifacts and of record versions.
 */
export function createRunFence(deps: { blobs: BlobStore }): RunFence {
  const { blobs } = deps;
  return {
    async claim(lectureId, job) {
      // Numbers begin anew when the marks of an ended lecture were removed: the token tells the old run from the new.
      const token = Buffer.from(randomUUID());
      for (let number = 1; number <= maxRuns; number++) {
        const key = runMarkKey(lectureId, job, number);
        if (!(await blobs.create(key, token))) continue;
        const nextKey = runMarkKey(lectureId, job, number + 1);
        return {
          number,
          async check() {
            const [mark, next] = await Promise.all([blobs.read(key), blobs.stat(nextKey)]);
            if (mark && !next && token.equals(mark)) return;
            const why = next ? 'a later one has taken its place' : 'the lecture has ended';
            throw new AppError('superseded', `Run ${number} of ${job.stage} may not write any more: ${why}.`);
          },
          release: () => blobs.delete(key),
        };
      }
      throw new AppError('internal', `${job.stage} has begun ${maxRuns} times.`, { retryable: false });
    },
    async endRuns({ id, attempts }) {
      const marks = (await blobs.list(runMarksPrefix(id))).filter((key) => {
        const mark = parseRunMarkKey(key);
        return mark !== null && mark.attempt <= (attempts[mark.stage as StageName] ?? 1);
      });
      await inBatches(marks, (key) => blobs.delete(key));
    },
  };
}

/**
 * Writes in the name of a run. Each asks before, so that a late run writes nothing, and after, so that a run which was
 * overtaken in the middle learns of it and can clean up.
 * @throws AppError `superseded`
 */
export function createFencedWriter(run: Run, artifacts: ArtifactWriter): ArtifactWriter {
  const fenced =
    <A extends unknown[]>(write: (...args: A) => Promise<boolean>) =>
    async (...args: A): Promise<boolean> => {
      await run.check();
      const isNew = await write(...args);
      await run.check();
      return isNew;
    };
  return {
    createArtifact: fenced(artifacts.createArtifact),
    createSamples: fenced(artifacts.createSamples),
    createFloats: fenced(artifacts.createFloats),
    createBytes: fenced(artifacts.createBytes),
  };
}
