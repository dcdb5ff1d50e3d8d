import { firstSliceSeconds } from '@studymate/queue/job-catalogue';
import { priorities } from '../model-ops.ts';

/** Beyond all times in milliseconds until the year 5138, so that what is made of one stays below 1. */
const farFutureMs = 1e14;

/**
 * In which order the recordings that are cut side by side get the speech detector, a block of a minute at a time: all
 * of them their first slice; then the one that was uploaded first until its end, so that it is done soonest. A decoder
 * whose sound nobody asks for waits.
 * @param createdAt of the lecture, ISO 8601
 * @returns a priority for model processes: lower goes first
 */
export function toIngestPriority(createdAt: string, detectedSeconds: number): number {
  if (detectedSeconds < firstSliceSeconds) return priorities.vad;
  return priorities.vad + Date.parse(createdAt) / farFutureMs;
}
