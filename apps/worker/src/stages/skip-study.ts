import type { LectureRecord } from '@studymate/contracts/lecture-record';
import type { StudyStageName } from '@studymate/contracts/stages';

/** The record where the text gives study stages nothing to work on. @param hasWords that are hardly any: there are some */
export function toSkippedStudy(
  record: LectureRecord,
  stages: readonly StudyStageName[],
  hasWords: boolean,
): LectureRecord {
  const skipped = { ...record.skipped };
  for (const stage of stages) skipped[stage] = 'no_speech';
  const warning = hasWords
    ? {
        code: 'no_clear_speech',
        message: 'The few words that were heard are most likely none, so nothing was made of them.',
      }
    : { code: 'no_speech', message: 'Nobody speaks in the recording, so there is nothing to study.' };
  const isSaid = record.warnings.some(({ code }) => code === warning.code);
  return { ...record, skipped, warnings: isSaid ? record.warnings : [...record.warnings, warning] };
}
