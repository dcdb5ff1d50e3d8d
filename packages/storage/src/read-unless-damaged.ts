import { AppError } from '@studymate/contracts/errors';
import type { LectureRecord } from '@studymate/contracts/lecture-record';

/**
 * @param onUnreadable told why, when the record cannot be read however often one tries: it is damaged, or a later
 *   StudyMate wrote it
 * @returns then undefined; null when there is no such record
 * @throws what may be better soon
 */
export async function readUnlessDamaged<T = LectureRecord>(
  records: { read(id: string): Promise<T | null> },
  id: string,
  onUnreadable?: (error: AppError) => void,
): Promise<T | null | undefined> {
  try {
    return await records.read(id);
  } catch (error) {
    if (!(error instanceof AppError) || (error.retryable && error.code !== 'newer_version')) throw error;
    onUnreadable?.(error);
    return undefined;
  }
}
