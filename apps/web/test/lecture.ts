import type { Lecture } from '@studymate/contracts/lecture';
import { type StageName, type StageView, stageNames } from '@studymate/contracts/stages';
import type { Segment } from '@studymate/contracts/transcript';

type Given = Partial<Omit<Lecture, 'stages'>> & { stages?: Partial<Record<StageName, Partial<StageView>>> };

/** A lecture as the API shows it, with what the test is about; all stages wait. */
export function toLecture({ stages = {}, ...given }: Given = {}): Lecture {
  return {
    id: '01m7ym4szrg1stsyamh6b2ebas',
    title: 'History of printing',
    courseId: null,
    language: null,
    durationSeconds: null,
    status: 'queued',
    queue: { position: 0, etaSeconds: null },
    warnings: [],
    createdAt: '2026-01-02T08:00:00.000Z',
    transcriptVersion: 0,
    version: 1,
    ...given,
    stages: stageNames.map((name) => ({
      name,
      status: 'waiting',
      progress: 0,
      startedAt: null,
      seconds: null,
      cold: null,
      ...stages[name],
    })),
  };
}

export function toSegments(from: number, texts: readonly string[]): Segment[] {
  return texts.map((text, i) => ({
    id: from + i,
    start: from + i,
    end: from + i + 1,
    text,
    confidence: 1,
    flags: [],
    words: [],
  }));
}
