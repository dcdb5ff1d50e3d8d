import { createStore, delMany, entries, keys, set, type UseStore } from 'idb-keyval';
import { claimLock } from './upload-memory.ts';

interface Head {
  /** Whose it is, as far as that was known. */
  owner: string | null;
  type: string;
  startedAt: number;
  /** Of the course that it belongs to. */
  courseId: string | null;
}

interface Left {
  pieces: Blob[];
  /** null where an earlier version of the page has not noted it. */
  seconds: number | null;
  forget(): Promise<void>;
}

/** What is recorded, kept piece by piece. Nothing of it fails: without room a recording lives as long as the page. */
export interface RecordingMemory {
  begin(head: Head): {
    /** @param seconds how long it is with this piece */
    add(piece: Blob, seconds: number): void;
    forget(): Promise<void>;
  };
  /** Ids of recordings that are kept, also of those that a window is at. */
  list(): Promise<string[]>;
  /**
   * A recording, as soon as no window is at it any more; null when it was sent, thrown away, or is another person's, who
   * finds it here when they are back.
   */
  take(id: string, person: string): Promise<(Head & Left) | null>;
  /** Those of a person, and those of which nobody knows whose they are. */
  forgetAll(person: string | null): Promise<void>;
}

/** For those who never come back: a month, and so many. */
const maxAgeMs = 30 * 86_400_000;
const maxRecordings = 50;

export function createRecordingMemory(): RecordingMemory {
  let made: UseStore | undefined;
  const store = () => {
    made ??= createStore('studymate-recordings', 'pieces');
    return made;
  };
  const lockOf = (id: string) => claimLock(`studymate-recording ${id}`);
  const toPieceKey = (id: string, index: number) => `${id} ${String(index).padStart(6, '0')}`;
  return {
    begin(head) {
      const id = `${head.startedAt}`;
      const claim = lockOf(id);
      const pieceKeys: string[] = [];
      // One after the other, so that what is forgotten stays forgotten.
      let turn = claim.then(() => {});
      return {
        add(piece, seconds) {
          const key = toPieceKey(id, pieceKeys.length);
          pieceKeys.push(key);
          turn = turn.then(() => set(key, { ...head, piece, seconds }, store())).catch(() => {});
        },
        async forget() {
          await turn;
          await delMany(pieceKeys, store()).catch(() => {});
          (await claim)();
        },
      };
    },
    async list() {
      const all = await keys<string>(store()).catch(() => []);
      const toId = (key: string) => key.split(' ')[0] as string;
      const ids = [...new Set(all.map(toId))].sort((a, b) => Number(a) - Number(b));
      const oldest = Date.now() - maxAgeMs;
      const left = new Set(ids.slice(-maxRecordings).filter((id) => Number(id) >= oldest));
      const old = all.filter((key) => !left.has(toId(key)));
      await delMany(old, store()).catch(() => {});
      return [...left];
    },
    async forgetAll(person) {
      const all = await entries<string, Head>(store()).catch(() => []);
      const own = all.filter(([, { owner = null }]) => owner === null || owner === person);
      await delMany(
        own.map(([key]) => key),
        store(),
      ).catch(() => {});
    },
    async take(id, person) {
      const release = await lockOf(id);
      const all = await entries<string, Head & { piece: Blob; seconds?: number }>(store()).catch(() => []);
      const own = all.filter(([key]) => key.startsWith(`${id} `)).sort(([a], [b]) => (a < b ? -1 : 1));
      const [first] = own;
      // Those of earlier versions of the page have no owner.
      const owner = first?.[1].owner ?? null;
      if (first === undefined || (owner !== null && owner !== person)) {
        release();
        return null;
      }
      const { type, startedAt, courseId } = first[1];
      return {
        owner,
        type,
        startedAt,
        courseId,
        seconds: own.at(-1)?.[1].seconds ?? null,
        pieces: own.map(([, { piece }]) => piece),
        async forget() {
          await delMany(
            own.map(([key]) => key),
            store(),
          ).catch(() => {});
          release();
        },
      };
    },
  };
}
