import type { LectureEvent } from '@studymate/contracts/events';
import type { Lecture } from '@studymate/contracts/lecture';
import type { StageName, StageView } from '@studymate/contracts/stages';
import type { Segment } from '@studymate/contracts/transcript';

/** What the page knows of one lecture while it follows its events. */
export interface LectureState {
  lecture: Lecture | null;
  /** All the text so far, in order. */
  segments: readonly Segment[];
  /** A snapshot came, and the text that follows it from 0 replaces all that there was. */
  awaitsText: boolean;
}

export const emptyLectureState: LectureState = { lecture: null, segments: [], awaitsText: false };

/** The state after an event: pure. Text that comes a second time lands where it was. */
export function applyEvent(state: LectureState, event: LectureEvent): LectureState {
  switch (event.type) {
    case 'snapshot':
      return withoutStaleText({ ...state, lecture: event.lecture, awaitsText: true });
    case 'lecture':
      if (state.lecture === null) return state;
      // Fields that have not changed are left out; JSON has no undefined ones.
      return withoutStaleText({ ...state, lecture: { ...state.lecture, ...(event.changes as Partial<Lecture>) } });
    case 'stage': {
      const { lecture } = state;
      if (lecture === null) return state;
      const stages = lecture.stages.map((stage) => (stage.name === event.stage.name ? event.stage : stage));
      return { ...state, lecture: { ...lecture, stages } };
    }
    case 'segments': {
      const before = state.segments.slice(0, event.from);
      const after =
        state.awaitsText && event.from === 0 ? [] : state.segments.slice(event.from + event.segments.length);
      return { ...state, segments: [...before, ...event.segments, ...after], awaitsText: false };
    }
    case 'end':
      return state;
  }
}

/** When transcription begins again, for example by a retry, the old text is nobody's any more. */
function withoutStaleText(state: LectureState): LectureState {
  const status = state.lecture && findStage(state.lecture, 'transcribe')?.status;
  const notBegun = status === 'waiting' || status === 'queued';
  return notBegun && state.segments.length > 0 ? { ...state, segments: [] } : state;
}

export function findStage(lecture: Lecture, name: StageName): StageView | undefined {
  return lecture.stages.find((stage) => stage.name === name);
}

/** Faults of the recording itself: the same file would fail in the same way again. */
const faultsOfTheFile: ReadonlySet<string> = new Set([
  'not_media',
  'no_audio',
  'unsupported_media',
  'media_too_long',
  'media_damaged',
]);

/** The stage that a lecture failed in, if another try can help. */
export function findRetryable(lecture: Lecture): StageName | null {
  if (lecture.status !== 'failed') return null;
  const failed = lecture.stages.find((stage) => stage.status === 'failed');
  return failed === undefined || faultsOfTheFile.has(failed.error?.code ?? '') ? null : failed.name;
}

export function hasEnded(lecture: Lecture): boolean {
  return lecture.status !== 'queued' && lecture.status !== 'running';
}
