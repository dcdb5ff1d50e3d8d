import { batch, type ReadonlySignal, signal } from '@preact/signals';
import { ApiError } from '@studymate/client/api-error';
import type { StudyMateClient } from '@studymate/client/client';
import type { Lecture, LectureChanges } from '@studymate/contracts/lecture';
import type { Retryable } from '@studymate/contracts/stages';
import type { EditedTranscript } from '@studymate/contracts/transcript-edit';
import {
  applyEvent,
  emptyLectureState,
  findRetryable,
  hasStaleText,
  type LectureState,
  withEdited,
  withText,
} from './lecture-state.ts';
import type { Notices } from './notices.ts';

export interface LectureFollower {
  state: ReadonlySignal<LectureState>;
  /** It was deleted, or never was. */
  isGone: ReadonlySignal<boolean>;
  /** Does something with the lecture that the user asked for; `onProblem` tells when it cannot be done. */
  act(action: () => Promise<void>): Promise<void>;
  change(changes: LectureChanges): Promise<void>;
  cancel(): Promise<void>;
  /** Tries the stage again that the lecture has failed in. */
  retry(): Promise<void>;
  retryStage(stage: Retryable): Promise<void>;
  /** Shows what an edit has made of the text. */
  showEdited(edited: EditedTranscript): void;
  /** Fetches the newest version of the text. */
  refreshText(): Promise<void>;
  /** Asks for all that is known of it but the text. */
  refreshLecture(): Promise<void>;
  /** Deletes it. Nobody is told that it is gone. */
  remove(): Promise<void>;
  close(): void;
}

export interface LectureFollowerDeps {
  client: StudyMateClient;
  notices: Pick<Notices, 'reachable' | 'unreachable'>;
  lectureId: string;
  onChange(before: Lecture | null, after: Lecture): void;
  onProblem(error: unknown): void;
}

/** Follows one lecture until it is closed, across lost connections and further tries. */
export function createLectureFollower(deps: LectureFollowerDeps): LectureFollower {
  const { client, notices, lectureId } = deps;
  const over = new AbortController();
  const state = signal<LectureState>(emptyLectureState);
  const isGone = signal(false);
  let following: AbortController | null = null;
  let isCatchingUp = false;

  const setState = (next: LectureState) => {
    const before = state.peek().lecture;
    batch(() => {
      state.value = next;
      if (next.lecture !== null && next.lecture !== before) deps.onChange(before, next.lecture);
    });
    if (hasStaleText(next)) catchUp();
  };
  const refreshLecture = async (signal: AbortSignal) => {
    const changes = await client.getLecture(lectureId, { signal });
    setState(applyEvent(state.peek(), { type: 'lecture', changes }));
  };
  const refreshText = async () => {
    const text = await client.getTranscript(lectureId, { signal: over.signal });
    setState(withText(state.peek(), text));
  };
  /** Somebody has corrected the text. Where it cannot be fetched the next event tries again. */
  const catchUp = () => {
    if (isCatchingUp) return;
    isCatchingUp = true;
    void refreshText()
      .catch(() => {})
      .finally(() => {
        isCatchingUp = false;
      });
  };

  const follow = async () => {
    following?.abort();
    const mine = new AbortController();
    following = mine;
    const stop = () => mine.abort();
    over.signal.addEventListener('abort', stop);
    try {
      const events = client.followLecture(lectureId, { signal: mine.signal, onReconnect: notices.unreachable });
      for await (const event of events) {
        if (mine.signal.aborted) return;
        notices.reachable();
        setState(applyEvent(state.peek(), event));
        // The text often comes in the same breath: drawn apart from all else, neither holds up a phone for long.
        if (event.type === 'snapshot') await new Promise((resolve) => setTimeout(resolve));
      }
      if (mine.signal.aborted) return;
      // The end: what the events left out, and whether it is still there at all.
      await refreshLecture(mine.signal);
    } catch (error) {
      if (mine.signal.aborted) return;
      if (error instanceof ApiError && error.status === 404) isGone.value = true;
      else notices.unreachable(error);
    } finally {
      over.signal.removeEventListener('abort', stop);
    }
  };
  const retryStage = async (stage: Retryable) => {
    const lecture = await client.retryStage(lectureId, stage);
    setState(applyEvent(state.peek(), { type: 'lecture', changes: lecture }));
    // The stream of the earlier attempt has ended.
    void follow();
  };
  void follow();

  return {
    state,
    isGone,
    async act(action) {
      try {
        await action();
      } catch (error) {
        if (over.signal.aborted) return;
        deps.onProblem(error);
        if (following?.signal.aborted) void follow();
      }
    },
    async change(changes) {
      const lecture = await client.changeLecture(lectureId, changes);
      setState(applyEvent(state.peek(), { type: 'lecture', changes: lecture }));
    },
    async cancel() {
      await client.cancelLecture(lectureId);
    },
    async retry() {
      const { lecture } = state.peek();
      const stage = lecture && findRetryable(lecture);
      if (stage !== null) await retryStage(stage);
    },
    retryStage,
    showEdited: (edited) => setState(withEdited(state.peek(), edited)),
    refreshText,
    refreshLecture: () => refreshLecture(over.signal),
    async remove() {
      following?.abort();
      await client.deleteLecture(lectureId);
    },
    close: () => over.abort(),
  };
}
