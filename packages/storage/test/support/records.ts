import { createId } from '@studymate/contracts/ids';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import { mediaKey } from '../../src/lecture-keys.ts';

export function makeRecord(id = createId(), owner = 'anonymous'): LectureRecord {
  return {
    schemaVersion: 1,
    id,
    version: 1,
    owner,
    title: 'A lecture',
    courseId: null,
    requestedLanguage: null,
    media: { key: mediaKey(`up-${id}`), fileName: 'a.wav', contentType: 'audio/wav', bytes: 1, sha256: 'ab' },
    createdAt: new Date(0).toISOString(),
    cancelledAt: null,
    durationSeconds: null,
    detectedLanguage: null,
    warnings: [],
    attempts: {},
    artifacts: {},
    failures: {},
    skipped: {},
  };
}
