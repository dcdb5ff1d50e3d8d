import type { LectureRecord } from '@studymate/contracts/lecture-record';
import { stageShares } from '@studymate/contracts/stage-shares';
import type { StageView } from '@studymate/contracts/stages';
import type { JobSpec } from './next-jobs.ts';

/** The first chunk is one window of at most 30 s; a later one holds about two minutes of sound. */
const firstChunkSeconds = 30;
const chunkSeconds = 120;

const minGuessSeconds = 10;
const maxGuessSeconds = 4 * 3_600;

/**
 * Bytes for a second of sound, by the kind of file: CD quality at half its rate for what is not compressed, 128 kbit/s
 * for compressed sound, 1.2 Mbit/s for pictures with sound. Only a guess, good enough to share by and to say about when.
 */
function bytesPerSecond(contentType: string): number {
  if (/^audio\/(x-)?(wav|wave|aiff|vnd\.wave)$/.test(contentType)) return 88_200;
  if (/^audio\/(x-)?flac$/.test(contentType)) return 60_000;
  if (contentType.startsWith('video/')) return 150_000;
  return 16_000;
}

/** Seconds that the recording lasts; a guess from its size until it has been looked at. */
export function toDurationSeconds(record: Pick<LectureRecord, 'durationSeconds' | 'media'>): number {
  if (record.durationSeconds !== null) return record.durationSeconds;
  const guess = record.media.bytes / bytesPerSecond(record.media.contentType);
  return Math.min(maxGuessSeconds, Math.max(minGuessSeconds, guess));
}

/** What a job is charged for: the seconds of sound that it works through. */
export function toCostSeconds(job: JobSpec, record: Pick<LectureRecord, 'durationSeconds' | 'media'>): number {
  if (job.stage !== 'transcribe') return toDurationSeconds(record);
  return job.part === 0 ? firstChunkSeconds : chunkSeconds;
}

/** What is left to do of a lecture, as seconds of its sound: those that would take as long from beginning to end. */
export function toLeftSeconds(durationSeconds: number, stages: readonly StageView[]): number {
  let left = 0;
  for (const stage of stages) {
    const isOpen = stage.status === 'waiting' || stage.status === 'queued' || stage.status === 'running';
    if (isOpen) left += stageShares[stage.name] * (1 - stage.progress);
  }
  return durationSeconds * left;
}
