import { type ReadonlySignal, signal } from '@preact/signals';
import type { StudyMateClient } from '@studymate/client/client';
import type { SearchResponse } from '@studymate/contracts/search';

export interface Search {
  /** What was found last; null while nothing is asked for. */
  answer: ReadonlySignal<SearchResponse | null>;
  /** Why nothing could be found. */
  problem: ReadonlySignal<unknown>;
  /** Somebody types. */
  write(query: string): void;
  /** Does not wait for the end of the typing. */
  now(): void;
  close(): void;
}

/** Typing goes on for so long before it is asked for. */
const pauseMs = 250;
const limit = 20;
/** While lectures are still being read the same is asked for again, so often at most. */
const again = { afterMs: 1_500, atMost: 5 };

/**
 * Looks through lectures while somebody types.
 * @param deps.courseId only those of a course
 * @param deps.query what is looked for at first
 * @param deps.onQuery told what is looked for now, '' for nothing
 */
export function createSearch(deps: {
  client: Pick<StudyMateClient, 'search'>;
  courseId?: string;
  query: string;
  onQuery(query: string): void;
}): Search {
  const answer = signal<SearchResponse | null>(null);
  const problem = signal<unknown>(null);
  let { query } = deps;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asking: AbortController | null = null;
  let askedAgain = 0;

  const search = async () => {
    clearTimeout(timer);
    asking?.abort();
    const q = query.trim();
    deps.onQuery(q);
    if (q === '') {
      answer.value = null;
      problem.value = null;
      return;
    }
    const mine = new AbortController();
    asking = mine;
    const { courseId } = deps;
    try {
      const found = await deps.client.search(
        { q, limit, ...(courseId === undefined ? {} : { courseId }) },
        { signal: mine.signal },
      );
      if (mine.signal.aborted) return;
      answer.value = found;
      problem.value = null;
      const isWhole = found.lectures.searched >= found.lectures.total;
      if (!isWhole && askedAgain++ < again.atMost) timer = setTimeout(() => void search(), again.afterMs);
    } catch (error) {
      if (!mine.signal.aborted) problem.value = error;
    }
  };

  if (query !== '') void search();

  return {
    answer,
    problem,
    write(written) {
      query = written;
      askedAgain = 0;
      clearTimeout(timer);
      timer = setTimeout(() => void search(), pauseMs);
    },
    now: () => void search(),
    close() {
      clearTimeout(timer);
      asking?.abort();
    },
  };
}
