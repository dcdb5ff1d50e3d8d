import type { LectureRecord } from '@studymate/contracts/lecture-record';
import { attemptOf, studiedVersionOf } from '@studymate/queue/next-jobs';
import { attemptPrefix, searchIndexKey } from '@studymate/storage/lecture-keys';

/** Whether the text is the one that the search index was made of. */
export function isIndexOfNow(record: LectureRecord): boolean {
  return (record.transcriptVersion ?? 0) === studiedVersionOf(record, 'chapters');
}

/** Name of the part that is made of the search index and, where that is of another text, of today's; null without an index. */
export function toIndexedName(record: LectureRecord): string | null {
  const { chapters } = record.artifacts;
  if (!chapters) return null;
  const key = searchIndexKey(record.id, chapters.attempt);
  return isIndexOfNow(record) ? key : withVersion(key, record);
}

/** Name of the part that is made of the whole transcript alone; null while there is none. */
export function toTextName(record: LectureRecord): string | null {
  const { assemble } = record.artifacts;
  return assemble ? withVersion(assemble.key, record) : null;
}

/** Whether a part is of the texts that the record has now: of one that was corrected, or heard anew, it is not. */
export function isPartOfNow(name: string, record: LectureRecord): boolean {
  if (name === toIndexedName(record) || name === toTextName(record)) return true;
  const isCorrected = record.artifacts.assemble !== undefined && record.transcriptVersion !== undefined;
  return !isCorrected && name.startsWith(attemptPrefix(record.id, 'transcribe', attemptOf(record, 'transcribe')));
}

/** The machine's text has no version in its name. */
function withVersion(key: string, { transcriptVersion }: LectureRecord): string {
  return transcriptVersion === undefined ? key : `${key}+${transcriptVersion}`;
}
