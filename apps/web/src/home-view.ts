import type { StudyMateClient } from '@studymate/client/client';
import type { Lecture } from '@studymate/contracts/lecture';
import type { CourseTerms } from './course-terms.ts';
import { el, icon, icons, setText } from './dom.ts';
import { toClock, toDay, toLanguageName } from './format.ts';
import { hasEnded } from './lecture-state.ts';
import { toLectureHash } from './route.ts';
import { createSearchBox } from './search-box.ts';
import type { Shell } from './shell.ts';
import { toOverallProgress, toShortStatus, toStatusText } from './status-text.ts';
import type { Uploads } from './uploads.ts';
import type { View } from './view.ts';

const pageSize = 20;
const busyMs = 2_000;
const idleMs = 20_000;
const awayMs = 3_000;

/** The drop zone, what is being sent, and all lectures, kept fresh while the page is seen. */
export function createHomeView(deps: {
  client: StudyMateClient;
  shell: Shell;
  uploads: Uploads;
  terms: CourseTerms;
}): View {
  const { client, shell, uploads, terms } = deps;
  const over = new AbortController();
  const rows = new Map<string, LectureRow>();
  const search = createSearchBox({ client });
  const list = el('ul', { class: 'lectures' });
  const emptyNote = el('p', { class: 'empty', hidden: true }, [
    'Nothing here yet. Your first recording will appear here as soon as it has been sent.',
  ]);
  const more = el('button', { class: 'button', type: 'button', hidden: true }, ['Show more'], {
    click() {
      pages += 1;
      void refresh();
    },
  });
  let pages = 1;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked = 0;

  const refresh = async () => {
    clearTimeout(timer);
    asked += 1;
    const mine = asked;
    let nextMs = idleMs;
    try {
      const lectures: Lecture[] = [];
      let cursor: string | null = null;
      for (let page = 0; page < pages; page++) {
        const options: { limit: number; cursor?: string } = { limit: pageSize, ...(cursor === null ? {} : { cursor }) };
        const found = await client.listLectures(options, { signal: over.signal });
        lectures.push(...found.lectures);
        cursor = found.nextCursor;
        if (cursor === null) break;
      }
      if (mine !== asked || over.signal.aborted) return;
      shell.reachable();
      showRows(list, rows, lectures);
      emptyNote.hidden = lectures.length > 0;
      more.hidden = cursor === null;
      if (lectures.some((lecture) => !hasEnded(lecture))) nextMs = busyMs;
    } catch (error) {
      if (mine !== asked || over.signal.aborted) return;
      shell.unreachable(error);
      nextMs = awayMs;
    }
    if (!document.hidden) timer = setTimeout(refresh, nextMs);
  };
  const onVisible = () => {
    if (!document.hidden) void refresh();
  };
  document.addEventListener('visibilitychange', onVisible);
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target instanceof Element && event.target.closest('input, select, textarea')) return;
    event.preventDefault();
    search.focus();
  };
  document.addEventListener('keydown', onKey);

  const element = el('div', { class: 'home' }, [
    el('div', { class: 'home-intro' }, [
      el('h1', { tabindex: -1 }, ['Study from the lecture, not from the recording']),
      el('p', { class: 'lead' }, [
        'A transcript that follows the sound, chapters, topics, a summary whose every statement leads to its moment, ' +
          'and cards to learn with. Nothing leaves the machine that runs StudyMate.',
      ]),
    ]),
    createDropZone((files) => uploads.add(files)),
    terms.element,
    uploads.element,
    el('section', { 'aria-labelledby': 'lectures-title' }, [
      el('h2', { id: 'lectures-title' }, ['Lectures']),
      search.element,
      list,
      emptyNote,
      more,
    ]),
  ]);
  void refresh();

  return {
    element,
    title: 'StudyMate',
    isApp: false,
    close() {
      over.abort();
      clearTimeout(timer);
      search.close();
      document.removeEventListener('visibilitychange', onVisible);
      document.removeEventListener('keydown', onKey);
    },
  };
}

function createDropZone(onFiles: (files: File[]) => void): HTMLElement {
  const input = el(
    'input',
    { class: 'visually-hidden', id: 'pick', type: 'file', accept: 'audio/*,video/*', multiple: true },
    [],
    {
      change() {
        onFiles([...(input.files ?? [])]);
        // So that the same file can be picked again.
        input.value = '';
      },
    },
  );
  const label = el('label', { class: 'drop' }, [
    icon(icons.upload),
    el('strong', {}, ['Drop a recording here']),
    el('span', { class: 'drop-pick' }, ['or choose a file']),
    el('span', { class: 'drop-hint' }, ['Audio or video, as it came from the recorder. Several at once are fine.']),
  ]);
  label.htmlFor = 'pick';
  return el('div', { class: 'drop-zone' }, [input, label]);
}

interface LectureRow {
  element: HTMLLIElement;
  update(lecture: Lecture): void;
}

/** Rows stay the same elements from one answer to the next, so that focus and position stay, too. */
function showRows(list: HTMLElement, rows: Map<string, LectureRow>, lectures: readonly Lecture[]): void {
  const ids = new Set(lectures.map(({ id }) => id));
  for (const [id, row] of rows) {
    if (ids.has(id)) continue;
    row.element.remove();
    rows.delete(id);
  }
  lectures.forEach((lecture, i) => {
    let row = rows.get(lecture.id);
    if (row === undefined) {
      row = createRow(lecture.id);
      rows.set(lecture.id, row);
    }
    row.update(lecture);
    if (list.children[i] !== row.element) list.insertBefore(row.element, list.children[i] ?? null);
  });
}

function createRow(lectureId: string): LectureRow {
  const title = el('a', { class: 'lecture-link', href: toLectureHash(lectureId), dir: 'auto' });
  const meta = el('p', { class: 'lecture-meta' });
  const status = el('span', { class: 'pill' });
  const bar = el('progress', { class: 'bar', max: 1, value: 0, 'aria-label': 'Progress' });
  const element = el('li', { class: 'lecture-row card' }, [title, status, meta, bar]);
  return {
    element,
    update(lecture) {
      const { status: state, durationSeconds, language } = lecture;
      setText(title, lecture.title);
      setText(status, toShortStatus(lecture));
      status.dataset.status = state;
      const parts = [
        durationSeconds === null ? null : toClock(durationSeconds),
        language === null ? null : toLanguageName(language),
        toDay(lecture.createdAt),
        state === 'ready' ? null : toStatusText(lecture),
      ];
      setText(meta, parts.filter((part) => part !== null).join(' · '));
      bar.value = toOverallProgress(lecture.stages);
      bar.hidden = hasEnded(lecture);
    },
  };
}
