import { el, setText } from './dom.ts';
import { toMessage } from './problems.ts';

/** What stays while views come and go: header, main area, the line about an API that is away, and short notes. */
export interface Shell {
  /** Puts a view into the main area; its heading takes the focus unless this is the first one. */
  show(view: HTMLElement, options: { title: string; isApp: boolean }): void;
  /** The link in the header that tells of uploads in progress; null hides it. */
  showUploads(text: string | null): void;
  showSignOut(isShown: boolean): void;
  /** Says that the API does not answer, until `reachable` is called. */
  unreachable(error: unknown): void;
  reachable(): void;
  /** A line that goes away by itself. */
  note(text: string): void;
  /** Read out by screen readers, seen by nobody. */
  announce(text: string): void;
}

const noteMs = 8_000;

export function createShell(body: HTMLElement, deps: { onSignOut(): void }): Shell {
  const uploads = el('a', { class: 'header-uploads', href: '#/', hidden: true });
  const signOut = el('button', { class: 'button is-small', type: 'button', hidden: true }, ['Sign out'], {
    click: () => deps.onSignOut(),
  });
  const mark = el('img', { class: 'brand-mark', src: 'icon.svg', alt: '' });
  const header = el('header', { class: 'header' }, [
    el('a', { class: 'brand', href: '#/', 'aria-label': 'StudyMate: all lectures' }, [mark, 'StudyMate']),
    el('div', { class: 'header-end' }, [uploads, signOut]),
  ]);
  const main = el('main', { id: 'main', tabindex: -1 });
  const banner = el('p', { class: 'banner', role: 'alert', hidden: true });
  const notes = el('div', { class: 'notes', role: 'status' });
  const announcer = el('div', { class: 'visually-hidden', role: 'status' });
  const skip = el('a', { class: 'skip', href: '#main' }, ['Skip to the content'], {
    click(event) {
      // The hash is the address of a view.
      event.preventDefault();
      main.focus();
    },
  });
  body.append(skip, header, banner, main, notes, announcer);
  let isFirst = true;

  return {
    show(view, { title, isApp }) {
      body.classList.toggle('is-app', isApp);
      document.title = title;
      main.replaceChildren(view);
      window.scrollTo(0, 0);
      if (!isFirst) view.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true });
      isFirst = false;
    },
    showUploads(text) {
      uploads.hidden = text === null;
      setText(uploads, text ?? '');
    },
    showSignOut(isShown) {
      signOut.hidden = !isShown;
    },
    unreachable(error) {
      setText(banner, toMessage(error));
      banner.hidden = false;
    },
    reachable() {
      banner.hidden = true;
    },
    note(text) {
      const line = el('p', { class: 'note' }, [text]);
      notes.append(line);
      setTimeout(() => line.remove(), noteMs);
    },
    announce(text) {
      setText(announcer, text);
    },
  };
}
