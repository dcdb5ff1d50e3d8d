import type { ArtifactIndex, ArtifactRef, LectureRecord } from '@studymate/contracts/lecture-record';

export const lectureId = '01k3zz8qk0aaaaaaaaaaaaaaaa';

export function lectureRecord(changes: Partial<LectureRecord> = {}): LectureRecord {
  return {
    schemaVersion: 1,
    id: lectureId,
    version: 1,
    owner: 'local',
    title: 'A lecture',
    courseId: null,
    requestedLanguage: null,
    media: { key: 'media/x', fileName: 'x.mp3', contentType: 'audio/mpeg', bytes: 1, sha256: '00' },
    createdAt: '2026-01-01T00:00:00.000Z',
    cancelledAt: null,
    durationSeconds: 600,
    detectedLanguage: null,
    warnings: [],
    attempts: {},
    artifacts: {},
    failures: {},
    skipped: {},
    ...changes,
  };
}

export function artifactRef(attempt = 1): ArtifactRef {
  return {
    key: 'k',
    schemaVersion: 1,
    algorithm: 'a@1',
    attempt,
    startedAt: '2026-01-01T00:00:00.000Z',
    seconds: 1,
    cold: false,
  };
}

export const emptyIndex: ArtifactIndex = { cutChunks: [], transcribedChunks: [] };
