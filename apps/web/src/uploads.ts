import { ApiError } from '@studymate/client/api-error';
import type { StudyMateClient } from '@studymate/client/client';
import type { ResumableUpload } from '@studymate/client/resumable-upload';
import type { Lecture } from '@studymate/contracts/lecture';
import { el, setText } from './dom.ts';
import { plural, toBytes, toPercent } from './format.ts';
import { isAway, toMessage } from './problems.ts';
import { findObjection } from './upload-file.ts';

export interface Uploads {
  /** The list of uploads; it lives on while other views are shown. */
  element: HTMLElement;
  add(files: readonly File[]): void;
  /** Files that wait or are being sent. */
  readonly pending: number;
}

interface Item {
  file: File;
  glossary: string[];
  row: HTMLElement;
  detail: HTMLElement;
  bar: HTMLProgressElement;
  buttons: HTMLElement;
  /** While it is being sent. */
  sending: ResumableUpload | null;
  /** Under which it can be gone on with after a failure; '' before it was begun. */
  uploadId: string;
  /** The user has taken it back, waiting or not. */
  isTaken: boolean;
}

export interface UploadsDeps {
  client: Pick<StudyMateClient, 'startUpload'>;
  /** Terms for the recordings that are added now. @throws Error that says what is wrong with them */
  readTerms(): string[];
  /** `isOnly`: nothing else was dropped with it, so the user is waiting for this one. */
  onLecture(lecture: Lecture, isOnly: boolean): void;
  /** A line for the header, null when nothing is being sent. */
  onProgress(text: string | null): void;
  /** The API asks for a key. */
  onUnauthenticated(): void;
}

/** Sends recordings one after the other: two at once would only make both late. */
export function createUploads(deps: UploadsDeps): Uploads {
  const element = el('ul', { class: 'uploads', 'aria-label': 'Uploads' });
  let waiting: Item[] = [];
  let current: Item | null = null;
  let batch = 0;

  const warnBeforeLeaving = (event: BeforeUnloadEvent) => event.preventDefault();

  const tell = (share: number | null) => {
    const count = waiting.length + (current === null ? 0 : 1);
    deps.onProgress(count === 0 ? null : `${plural(count, 'upload')} · ${toPercent(share ?? 0)}`);
  };

  const fail = (item: Item, message: string, again: boolean) => {
    item.row.classList.add('is-failed');
    setText(item.detail, message);
    item.bar.hidden = true;
    item.buttons.replaceChildren(
      ...(again ? [button('Try again', item.file.name, () => restart(item))] : []),
      button('Dismiss', item.file.name, () => item.row.remove()),
    );
  };

  const restart = (item: Item) => {
    item.row.remove();
    queue(item.file, item.uploadId);
    if (waiting.length > 0) void work();
  };

  const send = async (item: Item) => {
    current = item;
    setText(item.detail, 'Beginning to send');
    tell(0);
    let share = 0;
    const sent = () => `${toPercent(share)} of ${toBytes(item.file.size)} sent`;
    const sending = deps.client.startUpload(item.file, item.glossary.length > 0 ? { glossary: item.glossary } : {}, {
      onProgress(sentBytes, totalBytes) {
        share = totalBytes > 0 ? sentBytes / totalBytes : 0;
        item.bar.value = share;
        setText(item.detail, share < 1 ? sent() : 'Sent, being stored');
        tell(share);
      },
      ...(item.uploadId !== '' && { uploadId: item.uploadId }),
      onUploadId(uploadId) {
        item.uploadId = uploadId;
      },
      onWaiting: () => setText(item.detail, `${sent()}; waiting for the connection, then it goes on`),
    });
    item.sending = sending;
    const cancel = item.buttons.lastElementChild as HTMLElement;
    const pause = button('Pause', item.file.name, () => {
      void sending.pause();
      setText(item.detail, `${sent()}; paused`);
      item.buttons.replaceChildren(resume, cancel);
      resume.focus();
    });
    const resume = button('Resume', item.file.name, () => {
      sending.resume();
      setText(item.detail, sent());
      item.buttons.replaceChildren(pause, cancel);
      pause.focus();
    });
    item.buttons.replaceChildren(pause, cancel);
    try {
      const lecture = await sending.lecture;
      item.row.remove();
      deps.onLecture(lecture, batch === 1);
    } catch (error) {
      const isRefused = error instanceof ApiError && error.status === 401;
      if (isRefused) deps.onUnauthenticated();
      if (item.isTaken) item.row.remove();
      else if (error instanceof ApiError && !isAway(error))
        fail(item, toMessage(error), isRefused || error.status >= 500);
      else if (error instanceof TypeError) fail(item, error.message, true);
      else fail(item, toMessage(error), true);
    } finally {
      item.sending = null;
      current = null;
    }
  };

  const work = async () => {
    if (current !== null) return;
    window.addEventListener('beforeunload', warnBeforeLeaving);
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await send(next);
    window.removeEventListener('beforeunload', warnBeforeLeaving);
    batch = 0;
    tell(null);
  };

  /** @param uploadId of what had come of it before, '' for nothing */
  const queue = (file: File, uploadId: string) => {
    const item = createItem(file, () => {
      item.isTaken = true;
      void item.sending?.cancel();
      if (item !== current) item.row.remove();
      waiting = waiting.filter((other) => other !== item);
    });
    item.uploadId = uploadId;
    element.append(item.row);
    const objection = findObjection(file);
    if (objection !== null) {
      fail(item, objection, false);
      return;
    }
    try {
      item.glossary = deps.readTerms();
    } catch (error) {
      fail(item, `Course terms: ${(error as Error).message.replace(/^glossary: /, '')}.`, true);
      return;
    }
    waiting.push(item);
    batch += 1;
  };

  const add = (files: readonly File[]) => {
    for (const file of files) queue(file, '');
    if (waiting.length > 0) void work();
  };

  return {
    element,
    add,
    get pending() {
      return waiting.length + (current === null ? 0 : 1);
    },
  };
}

function createItem(file: File, onCancel: () => void): Item {
  const detail = el('p', { class: 'upload-detail', role: 'status' }, ['Waiting to be sent']);
  const bar = el('progress', { class: 'bar', max: 1, value: 0, 'aria-label': `Sending ${file.name}` });
  const buttons = el('div', { class: 'upload-buttons' }, [button('Cancel', file.name, onCancel)]);
  const row = el('li', { class: 'upload card' }, [
    el('p', { class: 'upload-name', dir: 'auto' }, [file.name]),
    detail,
    bar,
    buttons,
  ]);
  return { file, glossary: [], row, detail, bar, buttons, sending: null, uploadId: '', isTaken: false };
}

function button(text: string, fileName: string, click: () => void): HTMLElement {
  return el('button', { class: 'button is-small', type: 'button', 'aria-label': `${text}: ${fileName}` }, [text], {
    click,
  });
}
