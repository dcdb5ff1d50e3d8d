import type { Config } from '@studymate/config/config';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import type { StageName } from '@studymate/contracts/stages';
import type { Isolation } from '@studymate/media/isolation';
import type { Tracer } from '@studymate/observability/tracer';
import type { Pace } from '@studymate/queue/backlog';
import type { EventPublisher } from '@studymate/queue/events';
import type { LiveStore } from '@studymate/queue/live';
import type { ArtifactReader, ArtifactWriter } from '@studymate/storage/artifacts';
import type { BlobStore } from '@studymate/storage/blob-store';
import type { LectureStore } from '@studymate/storage/lecture-store';
import type { Donors } from './donors.ts';
import type { Models } from './models.ts';
import type { StudyInputs } from './stages/study-inputs.ts';
import type { SummaryWriter } from './stages/summary-writer.ts';
import type { StudyProcess } from './study-process/study-process.ts';

/** What every stage may use. Whatever lasts is written through the run's context, never through these. */
export interface StageDeps {
  config: Config;
  blobs: Pick<BlobStore, 'openLocal'>;
  artifacts: ArtifactReader;
  lectures: Pick<LectureStore, 'read' | 'readIndex'>;
  models: Models;
  live: LiveStore;
  events: EventPublisher;
  pace: Pace;
  /** Other lectures that may have made the same already. */
  donors: Donors;
  studyInputs: Pick<StudyInputs, 'read'>;
  studyProcess: StudyProcess;
  /** Null where no language model is configured. */
  summaryWriter: SummaryWriter | null;
  /** What keeps ffmpeg within bounds on this machine. */
  isolation: Isolation;
  tracer: Tracer;
  /** Queues what can run now. */
  advance(lectureId: string): Promise<void>;
}

/** One run of one stage (or of one chunk of `transcribe`). */
export interface StageContext {
  record: LectureRecord;
  part: number;
  attempt: number;
  signal: AbortSignal;
  /** Writes artifacts. @throws AppError `superseded` when the run may not write any more */
  write: ArtifactWriter;
  /**
   * Changes the record, unless the job is of no use any more.
   * @throws AppError `superseded` when the run may not write any more, also because the lecture was deleted
   */
  updateRecord(change: (record: LectureRecord) => LectureRecord): Promise<LectureRecord>;
  /** Removes an artifact that cannot be read, so that it can be made again. @throws AppError `superseded` */
  discard(key: string): Promise<void>;
  /** Removes the cut sound, which serves nothing once the words are there. @throws AppError `superseded` */
  dropSamples(): Promise<void>;
  /** @param fraction 0 to 1 */
  reportProgress(fraction: number): void;
  /** Says whether the model had to be loaded. */
  reportCold(cold: boolean): void;
}

/**
 * What a stage pins in the record when it is done. A chunk of `transcribe` pins nothing by itself; a stage that finds nothing
 * to do says so with a `change` alone.
 */
export interface StageOutcome {
  pins: Partial<Record<StageName, StagePin>>;
  /** Whether this job's own result was taken over from another lecture. */
  reused?: boolean;
  /** Further changes to the record that belong to the same version. */
  change?: (record: LectureRecord) => LectureRecord;
}

export interface StagePin {
  key: string;
  algorithm: string;
  /** Given where the stage was not the work of this job alone (`transcribe`, made of many). */
  startedAt?: string;
  seconds?: number;
  cold?: boolean | null;
  /** Whether the result was taken over from another lecture. */
  reused?: boolean;
  contentSha256?: string;
}

export type Stage = (deps: StageDeps, context: StageContext) => Promise<StageOutcome>;
