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
  let isSending = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const keep = (reviews: readonly CardReview[]) => {
    waiting.value = reviews;
    remember(storageKey, reviews.length === 0 ? null : JSON.stringify(reviews));
  };
  const send = async () => {
    if (isSending) return;
    isSending = true;
    clearTimeout(timer);
    try {
      if (sent.peek() === null) sent.value = await client.getReviews(lectureId, call);
      while (waiting.peek().length > 0) {
        const some = waiting.peek().slice(0, reviewsAtOnce);
        sent.value = await client.addReviews(lectureId, some, call);
        keep(waiting.peek().filter((review) => !some.includes(review)));
      }
    } catch (error) {
      if (over.signal.aborted) return;
      const isRefused = error instanceof ApiError && error.status < 500 && error.status !== 429 && error.status !== 401;
      // What is refused for good would be refused for ever.
      if (isRefused) keep([]);
      else timer = setTimeout(() => void send(), againMs);
    } finally {
      isSending = false;
    }
  };
  void send();

  return {
    reviews: computed(() => (sent.value === null ? null : mergeReviews(sent.value, waiting.value))),
    unsent: computed(() => waiting.value.length),
    rate(cardId, rating) {
      keep([...waiting.peek(), { cardId, rating, reviewedAt: new Date().toISOString() }]);
      void send();
    },
    async clear() {
      keep([]);
      await client.clearReviews(lectureId, call);
      sent.value = [];
    },
    close() {
      over.abort();
      clearTimeout(timer);
    },
  };
}

function parseStored(text: string | null): CardReview[] {
  try {
    const value: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(value) ? (value as CardReview[]) : [];
  } catch {
    return [];
  }
}
