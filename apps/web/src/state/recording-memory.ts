import { clear, createStore, delMany, entries, keys, set, type UseStore } from 'idb-keyval';
import { claimLock } from './upload-memory.ts';

interface Head {
  type: string;
  startedAt: number;
  /** Of the course that it belongs to. */
  courseId: string | null;
}

/** What is recorded, kept piece by piece. Nothing of it fails: without room a recording lives as long as the page. */
export interface RecordingMemory {
  begin(head: Head): { add(piece: Blob): void; forget(): Promise<void> };
  /** Ids of recordings that are kept, also of those that a window is at. */
  list(): Promise<string[]>;
  /** A recording, as soon as no window is at it any more; null when it was sent or thrown away. */
  take(id: string): Promise<(Head & { pieces: Blob[]; forget(): Promise<void> }) | null>;
  forgetAll(): Promise<void>;
}

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
        add(piece) {
          const key = toPieceKey(id, pieceKeys.length);
          pieceKeys.push(key);
          turn = turn.then(() => set(key, { ...head, piece }, store())).catch(() => {});
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
      return [...new Set(all.map((key) => key.split(' ')[0] as string))].sort();
    },
    forgetAll: () => clear(store()).catch(() => {}),
    async take(id) {
      const release = await lockOf(id);
      const all = await entries<string, Head & { piece: Blob }>(store()).catch(() => []);
      const own = all.filter(([key]) => key.startsWith(`${id} `)).sort(([a], [b]) => (a < b ? -1 : 1));
      const [first] = own;
      if (first === undefined) {
        release();
        return null;
      }
      const { type, startedAt, courseId } = first[1];
      return {
        type,
        startedAt,
        courseId,
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
