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
  /** The version of the text that is there: 0 is the machine's. */
  textVersion: number;
  /** The version of the text that is awaited. */
  awaitedVersion: number;
}

export const emptyLectureState: LectureState = {
  lecture: null,
  segments: [],
  awaitsText: false,
  textVersion: 0,
  awaitedVersion: 0,
};

/** The state after an event: pure. Text that comes a second time lands where it was. */
export function applyEvent(state: LectureState, event: LectureEvent): LectureState {
  switch (event.type) {
    case 'snapshot':
      return withoutStaleText({
        ...state,
        lecture: event.lecture,
        awaitsText: true,
        // Of the text that follows, and not of the one that is there until then; corrections are of the whole transcript.
        awaitedVersion: isAssembled(event.lecture) ? event.lecture.transcriptVersion : 0,
      });
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
      const segments = [...before, ...event.segments, ...after];
      const textVersion = state.awaitsText ? state.awaitedVersion : state.textVersion;
      return { ...state, segments, textVersion, awaitsText: false };
    }
    case 'end':
      return state;
  }
}

/** The state with a version of the text: the whole of it. */
export function withText(state: LectureState, text: { version: number; segments: readonly Segment[] }): LectureState {
  // An answer that was overtaken.
  if (text.version < state.textVersion) return state;
  const lecture = state.lecture && { ...state.lecture, transcriptVersion: text.version };
  // What is the same stays the same object, and is not drawn again.
  const segments = text.segments.map((segment, i) => {
    const before = state.segments[i];
    return before !== undefined && isSame(before, segment) ? before : segment;
  });
  return { ...state, lecture, segments, textVersion: text.version };
}

function isSame(a: Segment, b: Segment): boolean {
  if (a === b) return true;
  return a.text === b.text && a.words.length === b.words.length && JSON.stringify(a) === JSON.stringify(b);
}

/** The same, of which only segments are given that differ from the version that is there. */
export function withEdited(
  state: LectureState,
  edited: { version: number; segments: readonly Segment[] },
): LectureState {
  const byId = new Map(edited.segments.map((segment) => [segment.id, segment]));
  const segments = state.segments.map((segment) => byId.get(segment.id) ?? segment);
  return withText(state, { version: edited.version, segments });
}

/** Whether there is the whole transcript. */
export function isAssembled(lecture: Lecture): boolean {
  return findStage(lecture, 'assemble')?.status === 'done';
}

/** Whether there is no text, and none will come unless it is tried again. */
export function hasNoText({ lecture, segments }: Pick<LectureState, 'lecture' | 'segments'>): boolean {
  return lecture !== null && segments.length === 0 && hasEnded(lecture) && !isAssembled(lecture);
}

/** Whether the text that is there is of an earlier version than the lecture's. */
export function hasStaleText({ lecture, awaitsText, textVersion }: LectureState): boolean {
  return lecture !== null && !awaitsText && isAssembled(lecture) && lecture.transcriptVersion !== textVersion;
}

/** Whether a study part was made of another version of the text than the one that is shown. */
export function isStale({ transcriptVersion }: Lecture, stage: StageView): boolean {
  const madeOf = stage.transcriptVersion;
  return stage.status === 'done' && madeOf !== undefined && madeOf !== transcriptVersion;
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
