import {
  type ArtifactIndex,
  type ArtifactRef,
  type LectureRecord,
  toFirstVersion,
} from '@studymate/contracts/lecture-record';

export const lectureId = '01k3zz8qk0aaaaaaaaaaaaaaaa';

export function lectureRecord(changes: Partial<LectureRecord> = {}): LectureRecord {
  return toFirstVersion({
    id: lectureId,
    owner: 'local',
    title: 'A lecture',
    media: { key: 'media/x', fileName: 'x.mp3', contentType: 'audio/mpeg', bytes: 1, sha256: '00' },
    createdAt: '2026-01-01T00:00:00.000Z',
    durationSeconds: 600,
    ...changes,
  });
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
