import { computed, type ReadonlySignal, signal } from '@preact/signals';
import { ApiError } from '@studymate/client/api-error';
import type { StudyMateClient } from '@studymate/client/client';
import { mergeReviews } from '@studymate/contracts/merge-reviews';
import type { CardReview, ReviewRating } from '@studymate/contracts/reviews';
import { recall, remember } from './browser-memory.ts';

export interface CardReviews {
  /** All that is known, also what has not been sent yet; null before the first answer. */
  reviews: ReadonlySignal<readonly CardReview[] | null>;
  /** Answers that wait for the API to be back. */
  unsent: ReadonlySignal<number>;
  rate(cardId: string, rating: ReviewRating): void;
  /** Begins anew with all cards. @throws what the client throws */
  clear(): Promise<void>;
  close(): void;
}

/** Where answers wait in this browser, with the lecture's id behind it. */
export const unsentPrefix = 'studymate.reviews.';

const againMs = 5_000;
const reviewsAtOnce = 100;

/** One's own answers to a lecture's cards. What cannot be sent stays in this browser until it can. */
export function createCardReviews(deps: {
  client: Pick<StudyMateClient, 'getReviews' | 'addReviews' | 'clearReviews'>;
  lectureId: string;
}): CardReviews {
  const { client, lectureId } = deps;
  const storageKey = `${unsentPrefix}${lectureId}`;
  const over = new AbortController();
  const call = { signal: over.signal };
  const sent = signal<readonly CardReview[] | null>(null);
  const waiting = signal<readonly CardReview[]>(parseStored(recall(storageKey)));
  let sending: Promise<void> | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  /** The same is done to what is stored: answers of another window may have come there. */
  const change = (to: (reviews: readonly CardReview[]) => readonly CardReview[]) => {
    waiting.value = to(waiting.peek());
    const stored = to(parseStored(recall(storageKey)));
    remember(storageKey, stored.length === 0 ? null : JSON.stringify(stored));
  };
  const sendAll = async () => {
    if (sent.peek() === null) sent.value = await client.getReviews(lectureId, call);
    for (let atOnce = reviewsAtOnce; waiting.peek().length > 0; ) {
      const some = waiting.peek().slice(0, atOnce);
      try {
        sent.value = await client.addReviews(lectureId, some, call);
      } catch (error) {
        if (!isRefused(error)) throw error;
        // One of them is wrong, and would be for ever; the others are not lost with it.
        if (some.length > 1) {
          atOnce = 1;
          continue;
        }
      }
      const done = new Set(some.map(toKey));
      change((reviews) => reviews.filter((review) => !done.has(toKey(review))));
    }
  };
  const send = async () => {
    clearTimeout(timer);
    try {
      await sendAll();
    } catch (error) {
      if (over.signal.aborted) return;
      if (isRefused(error)) change(() => []);
      else timer = setTimeout(beginSending, againMs);
    }
  };
  const beginSending = () => {
    sending ??= send().finally(() => {
      sending = null;
    });
  };
  beginSending();

  return {
    reviews: computed(() => (sent.value === null ? null : mergeReviews(sent.value, waiting.value))),
    unsent: computed(() => waiting.value.length),
    rate(cardId, rating) {
      const review = { cardId, rating, reviewedAt: new Date().toISOString() };
      change((reviews) => [...reviews, review]);
      beginSending();
    },
    async clear() {
      // What is on its way would come after it.
      await sending;
      await client.clearReviews(lectureId, call);
      change(() => []);
      sent.value = [];
    },
    close() {
      over.abort();
      clearTimeout(timer);
    },
  };
}

function toKey({ cardId, reviewedAt }: CardReview): string {
  return `${reviewedAt} ${cardId}`;
}

function isRefused(error: unknown): boolean {
  return error instanceof ApiError && error.status < 500 && error.status !== 429 && error.status !== 401;
}

function parseStored(text: string | null): CardReview[] {
  try {
    const value: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(value) ? (value as CardReview[]) : [];
  } catch {
    return [];
  }
}
