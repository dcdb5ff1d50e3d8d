import { createId } from '@studymate/contracts/ids';
import { type LectureRecord, toFirstVersion } from '@studymate/contracts/lecture-record';
import { mediaKey } from '../../src/lecture-keys.ts';

export function makeRecord(id = createId(), owner = 'anonymous'): LectureRecord {
  return toFirstVersion({
    id,
    owner,
    title: 'A lecture',
    media: { key: mediaKey(`up-${id}`), fileName: 'a.wav', contentType: 'audio/wav', bytes: 1, sha256: 'ab' },
    createdAt: new Date(0).toISOString(),
  });
}
