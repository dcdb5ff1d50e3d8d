import type { Segment } from '@studymate/contracts/transcript';
import { el, setText } from './dom.ts';
import { toClock } from './format.ts';
import { findAt, flagTexts, splitByWords, unsureBelow } from './transcript-text.ts';

export interface TranscriptView {
  element: HTMLElement;
  /** Shows the text so far. Rows whose segment is the same stay untouched. */
  update(segments: readonly Segment[], language: string | null): void;
  /** What stands there as long as there is no text. */
  setPlaceholder(text: string): void;
  /** Marks what is being said; while `follow` it is kept in view, unless the reader has scrolled away. */
  setTime(seconds: number, follow: boolean): void;
}

interface Row {
  start: number;
  element: HTMLElement;
  segment: Segment;
  /** One for each word that was found in the text, in order. */
  words: { start: number; end: number; element: HTMLElement }[];
}

/** How long a word stays marked after its end: longer pauses are silence. */
const lingerSeconds = 0.6;

export function createTranscriptView(deps: { onSeek(seconds: number): void }): TranscriptView {
  const rows: Row[] = [];
  const placeholder = el('p', { class: 'placeholder' });
  const list = el('div', { class: 'segments' }, [], {
    click(event) {
      const start = event.target instanceof HTMLElement ? event.target.dataset.start : undefined;
      // Somebody who marks text with the mouse does not want the sound to jump.
      if (start === undefined || !document.getSelection()?.isCollapsed) return;
      deps.onSeek(Number(start));
    },
  });
  const catchUp = el('button', { class: 'button catch-up', type: 'button', hidden: true }, ['Back to the sound'], {
    click() {
      setFollowing(true);
      currentRow?.element.scrollIntoView({ block: 'center' });
    },
  });
  const legend = el('p', { class: 'legend', hidden: true }, [
    el('span', { class: 'is-unsure' }, ['Dotted words']),
    ' are those of which the model was less than half sure.',
  ]);
  const element = el('section', { class: 'transcript pane', 'aria-label': 'Transcript', tabindex: 0 }, [
    legend,
    placeholder,
    list,
    catchUp,
  ]);
  let following = true;
  let currentRow: Row | null = null;
  let currentWord: HTMLElement | null = null;

  const setFollowing = (value: boolean) => {
    following = value;
    catchUp.hidden = value || currentRow === null;
  };
  for (const type of ['wheel', 'touchmove'] as const) {
    element.addEventListener(type, () => setFollowing(false), { passive: true });
  }
  element.addEventListener('keydown', (event) => {
    if (['PageUp', 'PageDown', 'ArrowUp', 'ArrowDown', 'Home', 'End'].includes(event.key)) setFollowing(false);
  });

  const markWord = (word: HTMLElement | null) => {
    if (word === currentWord) return;
    currentWord?.classList.remove('is-now');
    word?.classList.add('is-now');
    currentWord = word;
  };

  const markRow = (row: Row | null, follow: boolean) => {
    if (row === currentRow) return;
    currentRow?.element.classList.remove('is-now');
    row?.element.classList.add('is-now');
    currentRow = row;
    setFollowing(following);
    if (row !== null && follow && following) {
      row.element.scrollIntoView({ block: 'center', behavior: wantsMotion() ? 'smooth' : 'auto' });
    }
  };

  return {
    element,
    update(segments, language) {
      if (language !== null) list.lang = language;
      let unsure = false;
      segments.forEach((segment, i) => {
        const before = rows[i];
        if (before?.segment !== segment) {
          const row = createRow(segment);
          if (before === undefined) list.append(row.element);
          else before.element.replaceWith(row.element);
          if (before !== undefined && before === currentRow) currentRow = null;
          rows[i] = row;
        }
        unsure ||= segment.words.some((word) => word.probability < unsureBelow);
      });
      for (const row of rows.splice(segments.length)) row.element.remove();
      placeholder.hidden = segments.length > 0;
      legend.hidden = segments.length === 0;
      legend.classList.toggle('is-invisible', !unsure);
    },
    setPlaceholder: (text) => setText(placeholder, text),
    setTime(seconds, follow) {
      const row = rows[findAt(rows, seconds)];
      const isSpoken = row !== undefined && seconds <= row.segment.end + lingerSeconds;
      markRow(isSpoken ? row : null, follow);
      const word = isSpoken ? row.words[findAt(row.words, seconds)] : undefined;
      markWord(word !== undefined && seconds <= word.end + lingerSeconds ? word.element : null);
    },
  };
}

function createRow(segment: Segment): Row {
  const words: Row['words'] = [];
  const children = splitByWords(segment).map(({ text, word }) => {
    if (word === null) return text;
    const isUnsure = word.probability < unsureBelow;
    const element = el(
      'span',
      {
        class: isUnsure ? 'word is-unsure' : 'word',
        'data-start': word.start,
        ...(isUnsure && { title: `The model is ${Math.round(word.probability * 100)} % sure of this word.` }),
      },
      [text],
    );
    words.push({ start: word.start, end: word.end, element });
    return element;
  });
  const flags = segment.flags.map((flag) => {
    const { label, meaning } = flagTexts[flag];
    return el('span', { class: 'flag', title: meaning }, [
      label,
      el('span', { class: 'visually-hidden' }, [`. ${meaning}`]),
    ]);
  });
  const clock = toClock(segment.start);
  const element = el('div', { class: flags.length > 0 ? 'segment is-flagged' : 'segment', dir: 'auto' }, [
    el('button', { class: 'moment', type: 'button', 'data-start': segment.start, 'aria-label': `Play from ${clock}` }, [
      clock,
    ]),
    el('div', { class: 'segment-body' }, [
      el('p', { class: 'segment-text' }, children),
      flags.length > 0 && el('p', { class: 'flags' }, flags),
    ]),
  ]);
  return { start: segment.start, element, segment, words };
}

function wantsMotion(): boolean {
  return !window.matchMedia('(prefers-reduced-motion: reduce)').matches;
}
