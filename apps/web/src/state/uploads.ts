import { computed, type ReadonlySignal, signal } from '@preact/signals';
import { ApiError } from '@studymate/client/api-error';
import type { StudyMateClient } from '@studymate/client/client';
import type { Lecture } from '@studymate/contracts/lecture';
import type { Messages } from '../text/en.ts';
import { isAway, toMessage } from '../text/problems.ts';
import { toGlossaryProblem } from './course-terms.ts';
import { createSpeedometer } from './speedometer.ts';
import { findObjection } from './upload-file.ts';
import {
  begun,
  type Item,
  toKey,
  toRemembered,
  type UploadItem,
  type UploadState,
  type UploadView,
} from './upload-item.ts';
import type { UploadMemory } from './upload-memory.ts';

export interface Uploads {
  items: ReadonlySignal<readonly UploadItem[]>;
  /** How many wait or are being sent, and how far the one is that is being sent; null for none. */
  pending: ReadonlySignal<{ count: number; share: number } | null>;
  /** @returns when this browser has what it needs to go on with them after a crash */
  add(files: readonly File[], options?: AddOptions): Promise<void>;
  pause(item: UploadItem): void;
  resume(item: UploadItem): void;
  /** Takes it back, waiting or not; one that has failed is dismissed. */
  remove(item: UploadItem): void;
  retry(item: UploadItem): void;
  /** Goes on with what was being sent when the page was closed. */
  goOn(owner: string): Promise<void>;
  /** Somebody signs out: nothing of theirs stays in this browser. @param whose null: not known who */
  forgetAll(whose: string | null): Promise<void>;
}

export interface AddOptions {
  /** Of the course that they are added to. */
  courseId?: string;
  /** Nobody has just chosen them: they were left from an earlier visit. */
  isLeftOver?: boolean;
}

export interface UploadsDeps {
  client: Pick<StudyMateClient, 'startUpload'>;
  memory: UploadMemory;
  messages: ReadonlySignal<Messages>;
  /** Terms for the recordings that are added now. @throws Error that says what is wrong with them */
  readTerms(): string[];
  /** In which language somebody speaks in them; null: to be found out. */
  readLanguage(): string | null;
  /** `isOnly`: nothing else was dropped with it, so the user is waiting for this one. */
  onLecture(lecture: Lecture, isOnly: boolean): void;
  /** The API asks for a key. */
  onUnauthenticated(): void;
}

/** Sends recordings one after the other: two at once would only make both late. */
export function createUploads(deps: UploadsDeps): Uploads {
  const { memory } = deps;
  const items = signal<readonly Item[]>([]);
  let waiting: Item[] = [];
  let current: Item | null = null;
  let batch = 0;
  let owner: string | null = null;
  const awaited = new Set<string>();

  const pending = computed(() => {
    const open = items.value.filter(({ view }) => !['failed', 'needs-file'].includes(view.value.state));
    if (open.length === 0) return null;
    return { count: open.length, share: open[0]?.view.value.share ?? 0 };
  });
  const show = (item: Item, view: Partial<UploadView>) => {
    item.view.value = { ...item.view.peek(), ...view };
  };
  /** It is over, well or not: nothing is left of it here. */
  const drop = (item: Item) => {
    items.value = items.peek().filter((other) => other !== item);
    void memory.forget(item.key);
    item.release();
  };
  const fail = (item: Item, problem: string, canRetry: boolean) => {
    show(item, { state: 'failed', problem, canRetry, bytesPerSecond: null });
    // It would fail again after each visit.
    if (!canRetry) void memory.forget(item.key);
  };

  const send = async (item: Item, file: File) => {
    current = item;
    show(item, { ...begun, state: 'beginning' });
    const speed = createSpeedometer();
    const isPaused = () => item.view.peek().state === 'paused';
    const fields = {
      ...(item.glossary.length > 0 && { glossary: item.glossary }),
      ...(item.courseId !== null && { courseId: item.courseId }),
      ...(item.language !== null && { language: item.language }),
    };
    const sending = deps.client.startUpload(file, fields, {
      onProgress(sentBytes, totalBytes) {
        const share = totalBytes > 0 ? sentBytes / totalBytes : 0;
        speed.note(sentBytes, performance.now());
        const { bytesPerSecond } = speed;
        show(item, isPaused() ? { share } : { share, bytesPerSecond, state: share < 1 ? 'sending' : 'storing' });
      },
      ...(item.uploadId !== '' && { uploadId: item.uploadId }),
      onUploadId(uploadId) {
        item.uploadId = uploadId;
        void memory.change(item.key, { uploadId, owner });
      },
      onWaiting() {
        if (!isPaused()) show(item, { state: 'offline', bytesPerSecond: null });
      },
    });
    item.sending = sending;
    try {
      const lecture = await sending.lecture;
      drop(item);
      deps.onLecture(lecture, batch === 1 && item.isAwaited);
    } catch (error) {
      const isRefused = error instanceof ApiError && error.status === 401;
      if (isRefused) deps.onUnauthenticated();
      const m = deps.messages.peek();
      const problem = error instanceof TypeError ? m.upload.connectionLost : toMessage(error, m);
      const canRetry =
        !(error instanceof ApiError) || isAway(error) || isRefused || error.status === 429 || error.status >= 500;
      if (item.isTaken) drop(item);
      else fail(item, problem, canRetry);
    } finally {
      item.sending = null;
      if (current === item) current = null;
    }
  };

  const work = async () => {
    while (current === null) {
      const next = waiting.shift();
      if (next === undefined) {
        batch = 0;
        return;
      }
      if (next.file !== null) await send(next, next.file);
    }
  };
  const enqueue = (item: Item) => {
    show(item, { ...begun, state: 'waiting' });
    waiting.push(item);
    batch += 1;
    void work();
  };

  /** Looks at a file before anything is sent of it. */
  const check = async (item: Item, file: File) => {
    const { upload, terms } = deps.messages.peek();
    const objection = await findObjection(file);
    if (item.isTaken) return;
    if (objection !== null) {
      fail(item, upload.objections[objection], false);
      return;
    }
    let problem: string | null = null;
    try {
      item.glossary = deps.readTerms();
      item.language = deps.readLanguage();
    } catch (error) {
      problem = upload.termsProblem(terms.problem(toGlossaryProblem(error)));
    }
    // Also with terms that cannot be used: it may be a recording of which there is nothing else.
    const kept = memory.keep(item.key, toRemembered(item, file, owner));
    if (problem === null) enqueue(item);
    else fail(item, problem, true);
    await kept;
  };
  const addItem = (given: Omit<Item, 'view' | 'sending' | 'isTaken'>, state: UploadState): Item => {
    const item: Item = { ...given, view: signal({ ...begun, state }), sending: null, isTaken: false };
    items.value = [...items.peek(), item];
    return item;
  };
  /** One that waits for its file, when this is it. */
  const findMissing = ({ name, size, lastModified }: File) =>
    items
      .peek()
      .find(
        (item) =>
          item.view.peek().state === 'needs-file' &&
          item.name === name &&
          item.size === size &&
          item.lastModified === lastModified,
      );

  const add = async (file: File, { courseId, isLeftOver }: AddOptions) => {
    const missing = findMissing(file);
    if (missing !== undefined) {
      missing.file = file;
      missing.isAwaited = true;
      enqueue(missing);
      return;
    }
    const { name, size, lastModified } = file;
    const key = toKey();
    const begin = {
      glossary: [],
      uploadId: '',
      isAwaited: isLeftOver !== true,
      courseId: courseId ?? null,
      language: null,
    };
    const item = addItem({ key, name, size, lastModified, file, ...begin, release: () => {} }, 'checking');
    void memory.claim(key).then((release) => {
      item.release = release;
    });
    await check(item, file);
  };

  /** One that another window may be at: as soon as that is closed, unless it is done by then. */
  const takeOver = async (key: string) => {
    const release = await memory.claim(key);
    awaited.delete(key);
    const upload = await memory.read(key);
    if (upload === null) {
      release();
      return;
    }
    const { content, name, type, lastModified } = upload;
    const file = content === null ? null : new File([content], name, { type, lastModified });
    const item = addItem({ ...upload, key, file, release, isAwaited: false }, 'needs-file');
    if (file !== null) enqueue(item);
  };

  /** Shows and sends nothing more of what there is; it stays remembered. */
  const leaveAll = () => {
    for (const item of items.peek()) {
      void item.sending?.pause();
      item.release();
    }
    waiting = [];
    current = null;
    items.value = [];
  };

  return {
    items,
    pending,
    async add(files, options = {}) {
      await Promise.all(files.map((file) => add(file, options)));
    },
    pause(given) {
      const item = given as Item;
      show(item, { state: 'paused', bytesPerSecond: null });
      void item.sending?.pause();
    },
    resume(given) {
      const item = given as Item;
      show(item, { state: 'sending' });
      item.sending?.resume();
    },
    remove(given) {
      const item = given as Item;
      item.isTaken = true;
      void item.sending?.cancel();
      waiting = waiting.filter((other) => other !== item);
      if (item !== current) drop(item);
    },
    retry(given) {
      const item = given as Item;
      // A second click finds it on its way.
      if (item.file === null || item.view.peek().state !== 'failed') return;
      show(item, begun);
      void check(item, item.file);
    },
    async goOn(whose) {
      // Somebody else has signed in: what is the other's waits in this browser until they are back.
      if (owner !== null && owner !== whose) leaveAll();
      owner = whose;
      for (const { key, owner: found } of await memory.list()) {
        const isTheirs = found === null || found === whose;
        if (!isTheirs || awaited.has(key) || items.peek().some((item) => item.key === key)) continue;
        awaited.add(key);
        void takeOver(key);
      }
    },
    async forgetAll(whose) {
      for (const item of items.peek()) {
        item.isTaken = true;
        void item.sending?.cancel();
        // Behind its own keeping, which may not be done yet.
        void memory.forget(item.key);
      }
      leaveAll();
      owner = null;
      await memory.forgetAll(whose);
    },
  };
}
