import type { EventReader, StoredEvent } from '@studymate/queue/events';

/**
 * The events of lectures for any number of listeners in this process: those who ask for the same at the same time share
 * one answer, so that a thousand listeners of one lecture cost Redis and the store what one costs.
 */
export interface LectureFeed {
  readAfter(lectureId: string, id: string, limit: number): Promise<StoredEvent[]>;
  /** Calls back whenever the lecture has new events. @returns a function that ends it */
  onWake(lectureId: string, listener: () => void): () => void;
  /** Shares what somebody already waits for under this key, which must name something that does not change. */
  share<T>(key: string, read: () => Promise<T>): Promise<T>;
}

interface Followed {
  listeners: Set<() => void>;
  /** How often it was said that there is something new. */
  wakes: number;
  unsubscribe(): void;
}

export function createLectureFeed(deps: { events: Pick<EventReader, 'readAfter' | 'onWake'> }): LectureFeed {
  const { events } = deps;
  const followed = new Map<string, Followed>();
  const pending = new Map<string, Promise<unknown>>();

  const share = <T>(key: string, read: () => Promise<T>): Promise<T> => {
    const asked = pending.get(key);
    if (asked) return asked as Promise<T>;
    const reading = read().finally(() => pending.delete(key));
    pending.set(key, reading);
    return reading;
  };

  const follow = (lectureId: string): Followed => {
    const found = followed.get(lectureId);
    if (found) return found;
    const made: Followed = {
      listeners: new Set(),
      wakes: 0,
      unsubscribe: events.onWake(lectureId, () => {
        made.wakes++;
        for (const listener of made.listeners) listener();
      }),
    };
    followed.set(lectureId, made);
    return made;
  };

  return {
    share,
    readAfter(lectureId, id, limit) {
      // What was asked before the last wake may lack what it told of.
      const wakes = followed.get(lectureId)?.wakes ?? 0;
      return share(`${lectureId} ${wakes} ${id} ${limit}`, () => events.readAfter(lectureId, id, limit));
    },
    onWake(lectureId, listener) {
      const { listeners } = follow(lectureId);
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
        const found = followed.get(lectureId);
        if (found?.listeners !== listeners || listeners.size > 0) return;
        found.unsubscribe();
        followed.delete(lectureId);
      };
    },
  };
}
