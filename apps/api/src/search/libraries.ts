import { type AppError, toAppError } from '@studymate/contracts/errors';
import type { Logger } from '@studymate/observability/logger';
import type { EventReader } from '@studymate/queue/events';
import type { ArtifactReader } from '@studymate/storage/artifacts';
import type { LectureStore } from '@studymate/storage/lecture-store';
import { createDictionary, type Dictionary } from '@studymate/study/search/dictionary';
import { readUnlessDamaged } from '../lectures/read-unless-damaged.ts';
import { createBreathe } from './breathe.ts';
import { type LoadedLecture, loadLecture } from './load-lecture.ts';
import type { ReadableLectures } from './readable-lectures.ts';

/** What one owner can search, as it stands. */
export interface OpenLibrary {
  dictionary: Dictionary;
  lectures: ReadonlyMap<string, LoadedLecture>;
  /** How many lectures are not loaded yet, or have no room. */
  missing(): number;
}

/**
 * The indexes of the owners that search, in memory while they are used: made of what lies in the store, looked at anew when
 * a lecture's events say that something has changed, and forgotten when others need the room.
 */
export interface Libraries {
  /**
   * The owner's library. What is not loaded yet is waited for, up to two seconds; then the rest goes on by itself, and the
   * next search finds more.
   */
  open(owner: string): Promise<OpenLibrary>;
  /** What was shown is not (or not any more) as the library says. */
  forget(lectureId: string): void;
  readonly bytes: number;
  close(): void;
}

const patienceMs = 2_000;
const loadsAtOnce = 4;
/** Events can be lost with Redis: then what changed is seen after so long, or sooner while a lecture is growing. */
const recheckMs = 5 * 60_000;
const recheckGrowingMs = 2_000;
/** About what a term takes in the dictionary. */
const bytesATerm = 160;
const bytesALecture = 2_000;

interface Library {
  owner: string;
  dictionary: Dictionary;
  lectures: Map<string, LoadedLecture>;
  /** When each was looked at last, also those of which there is nothing to search; 0: it has changed since. */
  checkedMs: Map<string, number>;
  bytes: number;
  /** Of those that the owner may be able to read. */
  ids: readonly string[];
  /** Ids of their courses when that was looked at. */
  courses: string;
  refreshing: Promise<void> | null;
}

export function createLibraries(deps: {
  events: Pick<EventReader, 'onAnyWake'>;
  lectures: LectureStore;
  artifacts: ArtifactReader;
  readable: ReadableLectures;
  /** For all libraries together. */
  maxBytes: number;
  logger: Logger;
}): Libraries {
  const { lectures, readable, maxBytes, logger } = deps;
  /** The one that was used last is the last. */
  const libraries = new Map<string, Library>();
  const unreadable = new Set<string>();
  let isClosed = false;

  const forget = (lectureId: string | null): void => {
    for (const { checkedMs } of libraries.values()) {
      if (lectureId === null) for (const id of checkedMs.keys()) checkedMs.set(id, 0);
      else if (checkedMs.has(lectureId)) checkedMs.set(lectureId, 0);
    }
  };
  const unsubscribe = deps.events.onAnyWake(forget);

  const totalBytes = () => [...libraries.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  /** Forgets libraries that were not used for the longest time. @returns whether there is room */
  const makeRoom = (library: Library): boolean => {
    for (const [owner, other] of libraries) {
      if (totalBytes() <= maxBytes) return true;
      if (other !== library) libraries.delete(owner);
    }
    return totalBytes() <= maxBytes;
  };

  const drop = (library: Library, lectureId: string): void => {
    library.lectures.delete(lectureId);
    library.checkedMs.delete(lectureId);
  };
  const count = (library: Library): void => {
    let bytes = library.dictionary.size * bytesATerm;
    for (const { parts } of library.lectures.values()) {
      bytes += bytesALecture + parts.reduce((sum, { shard }) => sum + shard.bytes, 0);
    }
    library.bytes = bytes;
  };

  const tellUnreadable = (lectureId: string, error: AppError): void => {
    if (!unreadable.has(lectureId)) logger.warn({ err: error, lectureId }, 'cannot be searched');
    unreadable.add(lectureId);
  };

  const look = async (library: Library, lectureId: string): Promise<void> => {
    // Before the reading: what changes meanwhile is looked at once more.
    library.checkedMs.set(lectureId, Date.now());
    const before = library.lectures.get(lectureId);
    try {
      const record = await readUnlessDamaged(lectures, lectureId, (error) => tellUnreadable(lectureId, error));
      if (record && (await readable.canRead(library.owner, record))) {
        library.lectures.set(lectureId, await loadLecture(deps, record, library.dictionary, before, createBreathe()));
      } else {
        library.lectures.delete(lectureId);
      }
    } catch (thrown) {
      const error = toAppError(thrown);
      // One lecture must not keep all the others from being found. It is tried again: soon, where that may help.
      if (error.retryable) library.checkedMs.delete(lectureId);
      else tellUnreadable(lectureId, error);
    }
  };

  const isDue = (library: Library, lectureId: string): boolean => {
    const checkedMs = library.checkedMs.get(lectureId);
    if (checkedMs === undefined) return true;
    const everyMs = library.lectures.get(lectureId)?.isGrowing ? recheckGrowingMs : recheckMs;
    return Date.now() - checkedMs > everyMs;
  };

  const refresh = async (library: Library): Promise<void> => {
    const { ids, courseIds } = await readable.list(library.owner);
    // What could not be read may have become readable with a course.
    if (courseIds.join() !== library.courses) {
      for (const id of library.checkedMs.keys()) if (!library.lectures.has(id)) library.checkedMs.set(id, 0);
    }
    library.courses = courseIds.join();
    const there = new Set(ids);
    for (const id of library.checkedMs.keys()) if (!there.has(id)) drop(library, id);
    library.ids = ids;
    const due = ids.filter((id) => isDue(library, id));
    // Also before the first: a library that fills the room does not grow with every search.
    let hasRoom = makeRoom(library);
    for (let i = 0; i < due.length && hasRoom && !isClosed; i += loadsAtOnce) {
      await Promise.all(due.slice(i, i + loadsAtOnce).map((id) => look(library, id)));
      count(library);
      hasRoom = makeRoom(library);
    }
    count(library);
  };

  return {
    async open(owner) {
      const library: Library = libraries.get(owner) ?? {
        owner,
        dictionary: createDictionary(),
        lectures: new Map(),
        checkedMs: new Map(),
        bytes: 0,
        ids: [],
        courses: '',
        refreshing: null,
      };
      libraries.delete(owner);
      libraries.set(owner, library);
      library.refreshing ??= refresh(library).finally(() => {
        library.refreshing = null;
      });
      await within(patienceMs, library.refreshing);
      const { dictionary, lectures: loaded, checkedMs } = library;
      return { dictionary, lectures: loaded, missing: () => library.ids.filter((id) => !checkedMs.has(id)).length };
    },
    forget,
    get bytes() {
      return totalBytes();
    },
    close() {
      isClosed = true;
      unsubscribe();
      libraries.clear();
    },
  };
}

/** @throws what the work throws in time; later it is of no interest */
async function within(timeoutMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  work.catch(() => {});
  await Promise.race([work, timeout]).finally(() => clearTimeout(timer));
}
