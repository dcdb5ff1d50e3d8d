import { AppError } from '@studymate/contracts/errors';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import type { LectureStore } from '@studymate/storage/lecture-store';

/**
 * @param onUnreadable told why, when the record cannot be read however often one tries: it is damaged, or a later
 *   StudyMate wrote it
 * @returns then undefined; null when there is no such lecture
 * @throws what may be better soon
 */
export async function readUnlessDamaged(
  lectures: Pick<LectureStore, 'read'>,
  lectureId: string,
  onUnreadable?: (error: AppError) => void,
): Promise<LectureRecord | null | undefined> {
  try {
    return await lectures.read(lectureId);
  } catch (error) {
    if (!(error instanceof AppError) || (error.retryable && error.code !== 'newer_version')) throw error;
    onUnreadable?.(error);
    return undefined;
  }
}
