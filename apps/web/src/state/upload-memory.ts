import { createStore, delMany, entries, get, set, setMany, update } from 'idb-keyval';

/** What this browser keeps of a recording on its way, so that it goes on after the page was closed. */
export interface RememberedUpload {
  name: string;
  type: string;
  size: number;
  lastModified: number;
  /** Whose it is, as far as that was known. */
  owner: string | null;
  /** Under which the API has what was sent; '' before it was begun. */
  uploadId: string;
  glossary: string[];
  courseId: string | null;
  language: string | null;
  addedAt: number;
  /** null where it is too large to be kept: it goes on once the same file is chosen again. */
  content: Blob | null;
}

/** Nothing of it fails: a browser that keeps nothing sends its recordings all the same. */
export interface UploadMemory {
  /** What is there and whose it is, the first that was added first. */
  list(): Promise<{ key: string; owner: string | null }[]>;
  keep(key: string, upload: RememberedUpload): Promise<void>;
  change(key: string, changes: Partial<Omit<RememberedUpload, 'content'>>): Promise<void>;
  forget(key: string): Promise<void>;
  /** Those of a person, and those of which nobody knows whose they are. */
  forgetAll(person: string | null): Promise<void>;
  /** null when there is none (any more). */
  read(key: string): Promise<RememberedUpload | null>;
  /** Makes an upload this window's own, as soon as no other has it. @returns gives it back */
  claim(key: string): Promise<() => void>;
}

/** Larger files would cost more room and time than choosing them again. */
const maxKeptBytes = 2e9;
/** The API forgets unfinished uploads after a day unless set otherwise; a month is beyond every use. */
const maxAgeMs = 30 * 86_400_000;
/** So many may lie there of people who never came back. */
const maxUploads = 500;

export function createUploadMemory(): UploadMemory {
  const store = memoize(() => createStore('studymate-uploads', 'uploads'));
  const attempt = async <T>(work: () => Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await work();
    } catch {
      // No IndexedDB, or no room.
      return otherwise;
    }
  };
  // What is done with one upload is done in order: what was forgotten must not come back.
  const turns = new Map<string, Promise<unknown>>();
  const inTurn = <T>(key: string, work: () => Promise<T>): Promise<T> => {
    const turn = (turns.get(key) ?? Promise.resolve()).then(work, work);
    turns.set(key, turn);
    return turn;
  };
  // Apart from the rest, which changes: a browser would write a recording of two gigabytes again for each note.
  const toContentKey = (key: string) => `${key} content`;
  const isContentKey = (key: string) => key.includes(' ');
  const forget = (key: string) =>
    inTurn(key, () => attempt(() => delMany([key, toContentKey(key)], store()), undefined));
  const readAll = async () => {
    const all = await entries<string, RememberedUpload>(store());
    return all.filter(([key]) => !isContentKey(key)).sort(([, a], [, b]) => a.addedAt - b.addedAt);
  };
  return {
    list: () =>
      attempt(async () => {
        const all = await readAll();
        const oldest = Date.now() - maxAgeMs;
        const isOld = ({ addedAt }: RememberedUpload, i: number) => addedAt < oldest || i < all.length - maxUploads;
        for (const [i, [key, upload]] of all.entries()) if (isOld(upload, i)) await forget(key);
        return all.filter(([, upload], i) => !isOld(upload, i)).map(([key, { owner }]) => ({ key, owner }));
      }, []),
    read: (key) =>
      attempt(async () => {
        const upload = await get<RememberedUpload>(key, store());
        if (upload === undefined) return null;
        // Earlier versions of the page kept both in one.
        return { ...upload, content: upload.content ?? (await get<Blob>(toContentKey(key), store())) ?? null };
      }, null),
    keep: (key, upload) =>
      inTurn(key, async () => {
        const { content } = upload;
        const rest = { ...upload, content: null };
        const fits = content !== null && (await attempt(() => hasRoomFor(upload.size), false));
        const both: [string, unknown][] = [
          [key, rest],
          [toContentKey(key), content],
        ];
        const isKept = fits && (await attempt(() => setMany(both, store()).then(() => true), false));
        if (!isKept) await attempt(() => set(key, rest, store()), undefined);
      }),
    change: (key, changes) =>
      inTurn(key, () =>
        attempt(async () => {
          if ((await get<RememberedUpload>(key, store())) === undefined) return;
          const toNext = (before: RememberedUpload | undefined) => ({ ...(before as RememberedUpload), ...changes });
          await update<RememberedUpload>(key, toNext, store());
        }, undefined),
      ),
    forget,
    forgetAll: (person) =>
      attempt(async () => {
        for (const [key, { owner }] of await readAll()) if (owner === null || owner === person) await forget(key);
      }, undefined),
    claim: (key) => claimLock(`studymate-upload ${key}`),
  };
}

/**
 * A lock between the windows of a browser; given back also when its window is closed. Where there are none (http on
 * another machine) it is always given.
 */
export async function claimLock(name: string): Promise<() => void> {
  if (!('locks' in navigator)) return () => {};
  return new Promise((resolve) => {
    void navigator.locks.request(name, () => new Promise<void>((release) => resolve(release)));
  });
}

async function hasRoomFor(bytes: number): Promise<boolean> {
  if (bytes > maxKeptBytes) return false;
  if (!('storage' in navigator)) return true;
  const { quota = 0, usage = 0 } = await navigator.storage.estimate();
  return bytes * 2 < quota - usage;
}

function memoize<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
