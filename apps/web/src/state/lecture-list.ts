import { type ReadonlySignal, signal } from '@preact/signals';
import type { StudyMateClient } from '@studymate/client/client';
import type { Lecture, LecturePage } from '@studymate/contracts/lecture';
import { hasEnded } from './lecture-state.ts';
import type { Notices } from './notices.ts';

export interface LectureList {
  /** Newest first; null before the first answer. */
  lectures: ReadonlySignal<readonly Lecture[] | null>;
  hasMore: ReadonlySignal<boolean>;
  showMore(): void;
  refresh(): void;
  close(): void;
}

const pageSize = 20;
const busyMs = 2_000;
const idleMs = 20_000;
const awayMs = 3_000;

/** The lectures, kept fresh while the page is seen. */
export function createLectureList(deps: {
  client: Pick<StudyMateClient, 'listLectures'>;
  notices: Pick<Notices, 'reachable' | 'unreachable'>;
  /** Only those of a course. */
  courseId?: string;
}): LectureList {
  const { client, notices, courseId } = deps;
  const over = new AbortController();
  const lectures = signal<readonly Lecture[] | null>(null);
  const hasMore = signal(false);
  let pages = 1;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked = 0;

  const refresh = async () => {
    clearTimeout(timer);
    asked += 1;
    const mine = asked;
    let nextMs = idleMs;
    try {
      const found: Lecture[] = [];
      let cursor: string | null = null;
      for (let page = 0; page < pages; page++) {
        const query = { limit: pageSize, ...(cursor !== null && { cursor }), ...(courseId && { courseId }) };
        const answer: LecturePage = await client.listLectures(query, { signal: over.signal });
        found.push(...answer.lectures);
        cursor = answer.nextCursor;
        if (cursor === null) break;
      }
      if (mine !== asked || over.signal.aborted) return;
      notices.reachable();
      lectures.value = found;
      hasMore.value = cursor !== null;
      if (found.some((lecture) => !hasEnded(lecture))) nextMs = busyMs;
    } catch (error) {
      if (mine !== asked || over.signal.aborted) return;
      notices.unreachable(error);
      nextMs = awayMs;
    }
    if (!document.hidden) timer = setTimeout(refresh, nextMs);
  };
  const onVisible = () => {
    if (!document.hidden) void refresh();
  };
  document.addEventListener('visibilitychange', onVisible);

  return {
    lectures,
    hasMore,
    refresh: () => void refresh(),
    showMore() {
      pages += 1;
      void refresh();
    },
    close() {
      over.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisible);
    },
  };
}
