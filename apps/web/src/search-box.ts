import type { StudyMateClient } from '@studymate/client/client';
import type { SearchResponse } from '@studymate/contracts/search';
import { el, setText } from './dom.ts';
import { plural, toClock } from './format.ts';
import { splitByHighlights } from './highlights.ts';
import { toMessage } from './problems.ts';
import { toLectureHash } from './route.ts';

export interface SearchBox {
  element: HTMLElement;
  focus(): void;
  close(): void;
}

/** Typing goes on for so long before it is asked for. */
const pauseMs = 250;
const limit = 20;
/** While lectures are still being read the same is asked for again, so often at most. */
const again = { afterMs: 1_500, atMost: 5 };

type Found = SearchResponse['results'][number];

/** Looks through all lectures while somebody types; each answer leads to its moment. */
export function createSearchBox(deps: { client: Pick<StudyMateClient, 'search'> }): SearchBox {
  const list = el('ol', { class: 'moments', 'aria-label': 'Moments that were found' });
  const status = el('p', { class: 'search-status', role: 'status' });
  const field = el('input', {
    class: 'field',
    id: 'search',
    type: 'search',
    autocomplete: 'off',
    'aria-keyshortcuts': '/',
  });
  field.placeholder = 'Search what was said';
  const label = el('label', { class: 'visually-hidden' }, ['Search in all lectures']);
  label.htmlFor = field.id;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asking: AbortController | null = null;
  let askedAgain = 0;

  const show = ({ results, lectures }: SearchResponse) => {
    list.replaceChildren(...results.map(createMoment));
    const found = results.length === 0 ? 'Nothing was found' : plural(results.length, 'moment');
    const rest =
      lectures.searched < lectures.total ? `; ${lectures.searched} of ${lectures.total} lectures so far` : '';
    setText(status, `${found}${rest}`);
    if (rest !== '' && askedAgain++ < again.atMost) timer = setTimeout(() => void search(), again.afterMs);
  };
  const search = async () => {
    clearTimeout(timer);
    asking?.abort();
    const query = field.value.trim();
    if (query === '') {
      list.replaceChildren();
      setText(status, '');
      return;
    }
    const mine = new AbortController();
    asking = mine;
    try {
      const answer = await deps.client.search({ q: query, limit }, { signal: mine.signal });
      if (!mine.signal.aborted) show(answer);
    } catch (error) {
      if (!mine.signal.aborted) setText(status, toMessage(error));
    }
  };
  const searchSoon = () => {
    askedAgain = 0;
    clearTimeout(timer);
    timer = setTimeout(() => void search(), pauseMs);
  };
  field.addEventListener('input', searchSoon);
  const form = el('form', { class: 'search', role: 'search' }, [label, field], {
    submit(event) {
      event.preventDefault();
      void search();
    },
  });

  return {
    element: el('div', { class: 'search-box' }, [form, status, list]),
    focus: () => field.focus(),
    close() {
      clearTimeout(timer);
      asking?.abort();
    },
  };
}

function createMoment({ lectureId, title, chapterTitle, startSeconds, text, highlights }: Found): HTMLElement {
  const where = [title, chapterTitle, toClock(startSeconds)].filter((part) => part !== null).join(' · ');
  const marked = splitByHighlights(text, highlights).map(({ part, isHit }) => (isHit ? el('mark', {}, [part]) : part));
  return el('li', { class: 'found card' }, [
    el('a', { class: 'found-link', href: toLectureHash(lectureId, startSeconds), dir: 'auto' }, [where]),
    el('p', { class: 'found-text', dir: 'auto' }, marked),
  ]);
}
