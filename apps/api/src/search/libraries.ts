import { type AppError, toAppError } from '@studymate/contracts/errors';
import type { Logger } from '@studymate/observability/logger';
import type { EventReader } from '@studymate/queue/events';
import type { ArtifactReader } from '@studymate/storage/artifacts';
import type { LectureStore } from '@studymate/storage/lecture-store';
import { readUnlessDamaged } from '@studymate/storage/read-unless-damaged';
import type { TranscriptEditStore } from '@studymate/storage/transcript-edit-store';
import { createDictionary, type Dictionary } from '@studymate/study/search/dictionary';
import { createTurns, type Turns } from '../turns.ts';
import { createBreathe } from './breathe.ts';
import { type LoadedLecture, loadLecture } from './load-lecture.ts';
import type { ReadableLectures } from './readable-lectures.ts';

/** What one owner can search, as it stands. */
export interface OpenLibrary {
  dictionary: Dictionary;
  lectures: ReadonlyMap<string, LoadedLecture>;
  /** How many of the owner's lectures are not loaded yet, or have no room. */
  missing(): number;
}

/**
 * The indexes of the owners that search, in memory while they are used: made of what lies in the store, looked at anew when
 * a lecture's events say that something has changed, and forgotten when others need the room.
 */
export interface Libraries {
  /**
   * The owner's library. What is not loaded yet, or is known to have changed, is waited for, up to two seconds; then the
   * rest goes on by itself, and the next search finds more. What may have changed is looked at meanwhile.
   */
  open(owner: string): Promise<OpenLibrary>;
  /** What was shown is not (or not any more) as the library says. */
  forget(lectureId: string): void;
  readonly bytes: number;
  close(): void;
}

const patienceMs = 2_000;
const loadsAtOnce = 4;
/** Of the memory for all: what is left holds the libraries of some smaller owners beside it. */
const mostOfOne = 3 / 4;
/** Events can be lost with Redis: then what changed is seen after so long, or sooner while a lecture is growing. */
const recheckMs = 5 * 60_000;
const recheckGrowingMs = 2_000;
/** About what a term takes in the dictionary (measured: 60,000 take 16 MB). */
const bytesATerm = 270;
const bytesALecture = 2_000;

interface Library {
  owner: string;
  dictionary: Dictionary;
  lectures: Map<string, LoadedLecture>;
  /** When each was looked at last, also those of which there is nothing to search; 0: it has changed since. */
  checkedMs: Map<string, number>;
  bytes: number;
  ownIds: readonly string[];
  /** Ids of the courses shared with the owner when that was looked at. */
  courses: string;
  refreshing: Promise<void> | null;
  rechecking: Promise<void> | null;
  /** By lecture: what was read first is not written last. */
  turns: Turns;
}

export function createLibraries(deps: {
  events: Pick<EventReader, 'onAnyWake'>;
  lectures: LectureStore;
  artifacts: ArtifactReader;
  edits: Pick<TranscriptEditStore, 'read'>;
  readable: ReadableLectures;
  /** For all libraries together. */
  maxBytes: number;
  logger: Logger;
}): Libraries {
  const { lectures, readable, maxBytes, logger } = deps;
  /** The one that was used last is the last. */
  const libraries = new Map<string, Library>();
  const unreadable = new Set<string>();
  const unindexed = createTurns();
  const loading = {
    ...deps,
    oneAtATime: <T>(work: () => Promise<T>) => unindexed.take('unindexed', work),
  };
  /** Until then events may have been lost. */
  let lostUntilMs = 0;

  const forget = (lectureId: string): void => {
    for (const { checkedMs } of libraries.values()) if (checkedMs.has(lectureId)) checkedMs.set(lectureId, 0);
  };
  const unsubscribe = deps.events.onAnyWake((lectureId) => {
    if (lectureId === null) lostUntilMs = Date.now();
    else forget(lectureId);
  });

  const totalBytes = () => [...libraries.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  /** Forgets libraries that were not used for the longest time. @returns whether this one may grow */
  const makeRoom = (library: Library): boolean => {
    // Without the others it would still be too large.
    if (library.bytes > maxBytes) return false;
    for (const [owner, other] of libraries) {
      if (totalBytes() <= maxBytes) break;
      if (other !== library) libraries.delete(owner);
    }
    return library.bytes <= maxBytes * mostOfOne;
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
        library.lectures.set(
          lectureId,
          await loadLecture(loading, record, library.dictionary, before, createBreathe()),
        );
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

  /** Ends when the library is forgotten: nobody would find what it loads. */
  const lookAtAll = async (library: Library, ids: readonly string[], atOnce: number): Promise<void> => {
    const isForgotten = () => libraries.get(library.owner) !== library;
    for (let i = 0; i < ids.length && !isForgotten(); i += atOnce) {
      const isFull = !makeRoom(library);
      // What is loaded is looked at even then: its text may be another by now.
      const batch = ids.slice(i, i + atOnce).filter((id) => !isFull || library.lectures.has(id));
      if (batch.length === 0) continue;
      await Promise.all(batch.map((id) => library.turns.take(id, () => look(library, id))));
      count(library);
      if (isFull && library.bytes > maxBytes) {
        for (const id of batch) drop(library, id);
        count(library);
      }
      if (!isForgotten()) makeRoom(library);
    }
  };

  const isChanged = (library: Library, lectureId: string): boolean => !library.checkedMs.get(lectureId);
  const mayHaveChanged = (library: Library, lectureId: string): boolean => {
    const checkedMs = library.checkedMs.get(lectureId) ?? 0;
    const everyMs = library.lectures.get(lectureId)?.isGrowing ? recheckGrowingMs : recheckMs;
    return checkedMs <= lostUntilMs || Date.now() - checkedMs > everyMs;
  };

  const refresh = async (library: Library): Promise<void> => {
    const { ownIds, foreignIds, courseIds } = await readable.list(library.owner);
    const ids = [...ownIds, ...foreignIds];
    // What could not be read may have become readable with a course.
    if (courseIds.join() !== library.courses) {
      for (const id of library.checkedMs.keys()) if (!library.lectures.has(id)) library.checkedMs.set(id, 0);
    }
    library.courses = courseIds.join();
    const there = new Set(ids);
    for (const id of library.checkedMs.keys()) if (!there.has(id)) drop(library, id);
    library.ownIds = ownIds;
    const changed = ids.filter((id) => isChanged(library, id));
    const doubtful = ids.filter((id) => !isChanged(library, id) && mayHaveChanged(library, id));
    await lookAtAll(library, changed, loadsAtOnce);
    count(library);
    // Nobody waits for these, so one after the other: a thousand records are many reads.
    library.rechecking ??= lookAtAll(library, doubtful, 1).finally(() => {
      library.rechecking = null;
    });
  };

  return {
    async open(owner) {
      const library: Library = libraries.get(owner) ?? {
        owner,
        dictionary: createDictionary(),
        lectures: new Map(),
        checkedMs: new Map(),
        bytes: 0,
        ownIds: [],
        courses: '',
        refreshing: null,
        rechecking: null,
        turns: createTurns(),
      };
      libraries.delete(owner);
      libraries.set(owner, library);
      library.refreshing ??= refresh(library).finally(() => {
        library.refreshing = null;
      });
      await within(patienceMs, library.refreshing);
      const { dictionary, lectures: loaded, checkedMs } = library;
      return { dictionary, lectures: loaded, missing: () => library.ownIds.filter((id) => !checkedMs.has(id)).length };
    },
    forget,
    get bytes() {
      return totalBytes();
    },
    close() {
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
