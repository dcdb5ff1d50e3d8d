import { effect } from '@preact/signals';
import { recall, remember } from './browser-memory.ts';
import type { Playback } from './playback.ts';

/** Where somebody has stopped listening, lecture by lecture, in this browser. */
export interface Places {
  /** @returns seconds, or null for a lecture that was not listened to, or to its end */
  find(lectureId: string): number | null;
  /** Where the recording stands now. @param durationSeconds null as long as it is not known */
  note(lectureId: string, seconds: number, durationSeconds: number | null): void;
  forget(lectureId: string): void;
  forgetAll(): void;
}

type Place = readonly [lectureId: string, seconds: number];

const storageKey = 'studymate.places';
/** Those of the lectures that were listened to last. */
const maxPlaces = 200;
/** So near to the beginning or the end there is nothing to go on with. */
const edgeSeconds = 10;
const noteEverySeconds = 5;

/** Read anew each time: other windows write, too. */
export function createPlaces(): Places {
  const others = (lectureId: string) => read().filter(([id]) => id !== lectureId);
  const write = (places: readonly Place[]) =>
    remember(storageKey, places.length === 0 ? null : JSON.stringify(places.slice(0, maxPlaces)));
  return {
    find: (lectureId) => read().find(([id]) => id === lectureId)?.[1] ?? null,
    note(lectureId, seconds, durationSeconds) {
      const isWorthIt = seconds > edgeSeconds && seconds < (durationSeconds ?? Number.POSITIVE_INFINITY) - edgeSeconds;
      const place: Place = [lectureId, Math.round(seconds * 10) / 10];
      write(isWorthIt ? [place, ...others(lectureId)] : others(lectureId));
    },
    forget: (lectureId) => write(others(lectureId)),
    forgetAll: () => remember(storageKey, null),
  };
}

/** While it plays the place is noted every few seconds: a tab may be gone without a word. @returns ends it */
export function followPlace(deps: { playback: Pick<Playback, 'now'>; note(seconds: number): void }): () => void {
  let noted = deps.playback.now.peek().seconds;
  return effect(() => {
    const { seconds, isMoving } = deps.playback.now.value;
    if (Math.abs(seconds - noted) < (isMoving ? noteEverySeconds : 1)) return;
    noted = seconds;
    deps.note(seconds);
  });
}

function read(): Place[] {
  try {
    const value: unknown = JSON.parse(recall(storageKey) ?? '[]');
    return Array.isArray(value) ? value.filter(isPlace) : [];
  } catch {
    return [];
  }
}

function isPlace(value: unknown): value is Place {
  return Array.isArray(value) && typeof value[0] === 'string' && Number.isFinite(value[1]);
}
