import type { Retryable } from '@studymate/contracts/stages';
import type { Chapter, Flashcard, LectureTopic, Summary } from '@studymate/contracts/study';
import type { Waveform } from '@studymate/contracts/waveform';
import { toMessage } from '../text/problems.ts';
import { findNews } from '../text/status-text.ts';
import type { App } from './app.ts';
import { createLectureFollower, type LectureFollower } from './lecture-follower.ts';
import { createOpenEditor, type OpenEditor, type OpenEditorDeps } from './open-editor.ts';
import { followPlace } from './places.ts';
import { createPlayback, type Playback } from './playback.ts';
import { rewriteLectureAddress } from './route.ts';
import { createStudyPart, type StudyPart } from './study-part.ts';

/** A lecture that is looked at: what is known of it, what was made of it, and its recording. */
export interface OpenLecture {
  follower: LectureFollower;
  playback: Playback;
  parts: {
    summary: StudyPart<Summary, 'summary'>;
    chapters: StudyPart<Chapter[], 'chapters'>;
    topics: StudyPart<LectureTopic[], 'topics'>;
    flashcards: StudyPart<Flashcard[], 'flashcards'>;
  };
  waveform: StudyPart<Waveform>;
  /** The moment that it was opened at: the one that was asked for, or where it was left the last time; null for neither. */
  startSeconds: number | null;
  /** Title and course; null takes it out of its course. */
  change(changes: { title: string; courseId: string | null }): Promise<void>;
  cancel(): Promise<void>;
  retry(): Promise<void>;
  retryStage(stage: Retryable): Promise<void>;
  editing: Omit<OpenEditor, 'forget' | 'close'>;
  /** Deletes it, and goes to the list. */
  remove(): Promise<void>;
  close(): void;
}

export function createOpenLecture(deps: {
  app: App;
  lectureId: string;
  atSeconds: number | null;
  loadEditing: OpenEditorDeps['loadEditing'];
}): OpenLecture {
  const { lectureId } = deps;
  const { client, notices, messages, places } = deps.app;
  const left = deps.atSeconds === null ? places.find(lectureId) : null;
  const startSeconds = deps.atSeconds ?? left;
  const playback = createPlayback(startSeconds ?? 0);
  const parts = {
    summary: createStudyPart('summary', (signal) => client.getSummary(lectureId, { signal })),
    chapters: createStudyPart('chapters', (signal) => client.getChapters(lectureId, { signal })),
    topics: createStudyPart('topics', (signal) => client.getTopics(lectureId, { signal })),
    flashcards: createStudyPart('flashcards', (signal) => client.getFlashcards(lectureId, { signal })),
  };
  const waveform = createStudyPart('ingest', (signal) => client.getWaveform(lectureId, { signal }));
  const all = [...Object.values(parts), waveform];
  const follower = createLectureFollower({
    client,
    notices,
    lectureId,
    onChange(before, after) {
      for (const part of all) part.update(after);
      const news = findNews(before, after, messages.peek());
      if (news !== null) notices.announce(news);
    },
    onProblem: (error) => notices.note(toMessage(error, messages.peek())),
  });
  const editing = createOpenEditor({ ...deps, follower });
  const asked = new Set<Retryable>();
  /** Several buttons ask for the same; once is enough. */
  const retryStage = async (stage: Retryable) => {
    if (asked.has(stage)) return;
    asked.add(stage);
    await follower.act(() => follower.retryStage(stage));
    asked.delete(stage);
  };
  const stopNoting = followPlace({
    playback,
    note(seconds) {
      places.note(lectureId, seconds, follower.state.peek().lecture?.durationSeconds ?? null);
      // Who loads the page anew goes on there, and not where a search once led to.
      rewriteLectureAddress(lectureId, { atSeconds: null });
    },
  });
  return {
    follower,
    editing: {
      ...editing,
      start: () => follower.act(editing.start),
      discardUnplaced: (version) => follower.act(() => editing.discardUnplaced(version)),
    },
    parts,
    waveform,
    playback,
    startSeconds,
    change: (changes) => follower.act(() => follower.change(changes)),
    cancel: () => follower.act(follower.cancel),
    retry: () => follower.act(follower.retry),
    retryStage,
    remove: () =>
      follower.act(async () => {
        await follower.remove();
        places.forget(lectureId);
        editing.forget();
        notices.note(messages.peek().lecture.removed);
        location.hash = '#/';
      }),
    close() {
      editing.close();
      stopNoting();
      follower.close();
      for (const part of all) part.close();
    },
  };
}
