import { AppError, type ErrorCode } from '@studymate/contracts/errors';
import type { CacheKey, CacheStore } from './cache-store.ts';
import { createSharedStream, type SharedStream } from './shared-stream.ts';

export const cacheKinds = ['clip', 'topics', 'chapters', 'summary', 'summary-stream'] as const;
export type CacheKind = (typeof cacheKinds)[number];

/**
 * Where an answer came from. `hit`: kept; `shared`: made for another request that asked the same at the same time;
 * `stale`: kept, too old, but a fresh one could not be had at once; `miss`: made for this request.
 */
export const cacheResults = ['hit', 'shared', 'stale', 'miss'] as const;
export type CacheResult = (typeof cacheResults)[number];

export interface CacheRequest {
  kind: CacheKind;
  /** Answers are kept for their owner alone: how fast one comes would tell what others have asked for. */
  owner: string;
  /** What is to be done, and how: everything that the answer depends on but the model. */
  content: unknown;
  /** Names the weights or the program that makes the answer. */
  model: string;
  /** What the pieces of a kept answer must be: one of an older form is none. */
  pieces: CacheKey['pieces'];
  /** As the request's Cache-Control says. */
  use: CacheUse;
}

export interface CacheUse {
  read: boolean;
  write: boolean;
}

/** Makes an answer, piece by piece. */
export interface AnswerMaker<T> {
  /** Ends only when the answer is whole, and throws otherwise. @param signal fires when nobody waits for it any more */
  make(signal: AbortSignal): AsyncIterable<T>;
  /** Asked at the end: whether the same request would be answered so again. */
  isLasting?(): boolean;
  /** Asked where there is an old answer: whether there is anybody at all who could make a fresh one. */
  canMake?(): Promise<boolean>;
}

export interface CachedAnswer<T> {
  result: CacheResult;
  pieces: AsyncIterable<T>;
}

export interface ResponseCache {
  /**
   * Gives a kept answer, or has one made: once, however many ask for it at the same time, in this copy of the API or in
   * others. Resolves when the first piece is there.
   * @throws AppError what making throws; `cancelled`
   */
  open<T>(request: CacheRequest, maker: AnswerMaker<T>, signal: AbortSignal): Promise<CachedAnswer<T>>;
}

/** Failures after which the work itself might be as it ever was: an old answer is better than none. */
const outages: ReadonlySet<ErrorCode> = new Set([
  'queue_unavailable',
  'storage_unavailable',
  'queue_full',
  'no_worker',
  'timeout',
  'model_loading',
  'model_crashed',
  'model_too_large',
  'model_unreachable',
  'unavailable',
]);

/** Failures that say nothing of what another copy would come to with the same work. */
const ownFailures: ReadonlySet<ErrorCode> = new Set([
  'cancelled',
  'queue_unavailable',
  'storage_unavailable',
  'queue_full',
  'unavailable',
]);

interface Flight {
  /** One of each caller who is still there: the first may leave before its turn. */
  makers: Set<AnswerMaker<unknown>>;
  stream: SharedStream<unknown>;
  /** Known once the first piece is there. */
  result: CacheResult;
}

/** @param deps.ttlSeconds how long an answer of a kind is fresh; 0: none is kept */
export function createResponseCache(deps: {
  store: CacheStore;
  ttlSeconds: Readonly<Record<CacheKind, number>>;
  onResult(kind: CacheKind, result: CacheResult): void;
}): ResponseCache {
  const { store } = deps;
  /** What is being looked for or made in this process. */
  const flights = new Map<string, Flight>();

  async function* makeAndKeep(
    key: CacheKey,
    ttlSeconds: number,
    maker: AnswerMaker<unknown>,
    signal: AbortSignal,
  ): AsyncGenerator<unknown> {
    const pieces: unknown[] = [];
    for await (const piece of maker.make(signal)) {
      pieces.push(piece);
      yield piece;
    }
    // Also when nobody waits any more: callers leave as soon as they have the last piece.
    if (maker.isLasting?.() ?? true) await store.write(key, pieces, ttlSeconds);
  }

  async function* findOrMake(
    flight: Flight,
    key: CacheKey,
    ttlSeconds: number,
    signal: AbortSignal,
  ): AsyncGenerator<unknown> {
    let kept = await store.read(key);
    let unlock: (() => Promise<void>) | null = null;
    while (!kept?.isFresh) {
      unlock = await store.lock(key);
      if (unlock) {
        // It may have been made while we waited for the lock.
        kept = (await store.read(key)) ?? kept;
        break;
      }
      if (kept) break;
      flight.result = 'shared';
      const found = await store.waitFor(key, signal);
      if (signal.aborted) return;
      if (found instanceof AppError) throw found;
      kept = found;
    }
    try {
      if (kept && (kept.isFresh || !unlock)) {
        if (!kept.isFresh) flight.result = 'stale';
        else if (flight.result === 'miss') flight.result = 'hit';
        yield* kept.pieces;
        return;
      }
      flight.result = 'miss';
      const [maker] = flight.makers;
      // Nobody waits any more.
      if (!maker) return;
      if (kept && (await maker.canMake?.()) === false) {
        flight.result = 'stale';
        yield* kept.pieces;
        return;
      }
      let isBegun = false;
      try {
        for await (const piece of makeAndKeep(key, ttlSeconds, maker, signal)) {
          isBegun = true;
          yield piece;
        }
      } catch (error) {
        if (error instanceof AppError && !ownFailures.has(error.code)) await store.fail(key, error);
        const isOutage = error instanceof AppError && outages.has(error.code);
        if (!kept || isBegun || !isOutage) throw error;
        flight.result = 'stale';
        yield* kept.pieces;
      }
    } finally {
      await unlock?.();
    }
  }

  const join = (key: CacheKey, ttlSeconds: number, maker: AnswerMaker<unknown>) => {
    const found = flights.get(key.entry);
    if (found) {
      found.makers.add(maker);
      return { flight: found, isOwn: false };
    }
    const flight: Flight = {
      makers: new Set([maker]),
      result: 'miss',
      stream: createSharedStream({
        start: (signal) => findOrMake(flight, key, ttlSeconds, signal),
        onEnd() {
          if (flights.get(key.entry) === flight) flights.delete(key.entry);
        },
      }),
    };
    flights.set(key.entry, flight);
    return { flight, isOwn: true };
  };

  return {
    async open<T>(
      { kind, owner, content, model, pieces: form, use }: CacheRequest,
      maker: AnswerMaker<T>,
      signal: AbortSignal,
    ) {
      const ttlSeconds = deps.ttlSeconds[kind];
      if (ttlSeconds === 0 || !use.write) return { result: 'miss' as const, pieces: maker.make(signal) };
      const key = store.toKey(kind, [owner, model, content], form);
      if (!use.read) {
        deps.onResult(kind, 'miss');
        return { result: 'miss' as const, pieces: makeAndKeep(key, ttlSeconds, maker, signal) as AsyncIterable<T> };
      }
      const { flight, isOwn } = join(key, ttlSeconds, maker);
      const pieces = flight.stream.join(signal);
      const first = await pieces.next().catch((error: unknown) => {
        flight.makers.delete(maker);
        throw error;
      });
      const result = !isOwn && flight.result === 'miss' ? 'shared' : flight.result;
      deps.onResult(kind, result);
      async function* all(): AsyncGenerator<unknown> {
        try {
          if (first.done) return;
          yield first.value;
          yield* pieces;
        } finally {
          // Also when the caller stops in between: it is counted as gone.
          flight.makers.delete(maker);
          await pieces.return(undefined);
        }
      }
      return { result, pieces: all() as AsyncIterable<T> };
    },
  };
}
