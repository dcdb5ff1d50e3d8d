import { type ReadonlySignal, signal } from '@preact/signals';
import { ApiError } from '@studymate/client/api-error';
import type { Lecture } from '@studymate/contracts/lecture';
import type { StageName } from '@studymate/contracts/stages';
import { findStage } from './lecture-state.ts';

export interface StudyPart<T, S extends StageName = StageName> {
  stage: S;
  /** null as long as it is not made, or not fetched. */
  value: ReadonlySignal<T | null>;
  /** Why it could not be fetched. */
  problem: ReadonlySignal<unknown>;
  /** Fetches the part once its stage is done. */
  update(lecture: Lecture): void;
  close(): void;
}

const loadAgainMs = 3_000;

/** What is made of a stage, fetched when it is there and again when it was made anew. */
export function createStudyPart<T, S extends StageName>(
  stage: S,
  load: (signal: AbortSignal) => Promise<T>,
): StudyPart<T, S> {
  const value = signal<T | null>(null);
  const problem = signal<unknown>(null);
  let loading: AbortController | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const fetchPart = async () => {
    const mine = new AbortController();
    loading = mine;
    try {
      const loaded = await load(mine.signal);
      if (mine.signal.aborted) return;
      value.value = loaded;
      problem.value = null;
    } catch (error) {
      if (mine.signal.aborted) return;
      problem.value = error;
      // Nothing else would ask again for a lecture that has ended.
      const isFinal = error instanceof ApiError && error.status < 500;
      if (!isFinal) timer = setTimeout(() => void fetchPart(), loadAgainMs);
    }
  };
  const stop = () => {
    clearTimeout(timer);
    loading?.abort();
    loading = null;
  };

  return {
    stage,
    value,
    problem,
    update(lecture) {
      if (findStage(lecture, stage)?.status === 'done') {
        if (loading === null) void fetchPart();
        return;
      }
      // A retry makes the part anew.
      stop();
      value.value = null;
      problem.value = null;
    },
    close: stop,
  };
}
