import { type Lecture, lectureSchema } from '@studymate/contracts/lecture';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import { stageViewSchema } from '@studymate/contracts/stages';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { type Keys, liveTtlSeconds } from './keys.ts';

/**
 * Events as they lie in a lecture's Redis stream: references, not transcripts. `segments` names the chunk whose
 * artifact holds the text; `from` is the id of its first segment in the whole transcript.
 */
export const streamEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('stage'), stage: stageViewSchema }),
  z.object({
    type: z.literal('segments'),
    attempt: z.number().int(),
    chunk: z.number().int(),
    from: z.number().int(),
    count: z.number().int(),
  }),
  z.object({ type: z.literal('lecture'), changes: lectureSchema.partial() }),
  z.object({ type: z.literal('end'), status: lectureSchema.shape.status }),
]);
export type StreamEvent = z.infer<typeof streamEventSchema>;

export interface StoredEvent {
  /** The id of the stream's entry, such as "1700000000000-0"; SSE clients get it as their event id. */
  id: string;
  event: StreamEvent;
}

const maxEvents = 5_000;

export interface EventPublisher {
  publish(lectureId: string, event: StreamEvent): Promise<void>;
  /**
   * Says that a chunk is transcribed. Its event is sent once, and in the order of the chunks: a chunk that is
   * done before an earlier one waits for it. Calling it again for the same chunk changes nothing.
   */
  publishChunk(lectureId: string, attempt: number, chunk: number, segmentCount: number): Promise<void>;
  /**
   * Says that a lecture has ended, once: again for the same attempts changes nothing, so that whoever finds an ended lecture
   * may say it. A retry is a new attempt, and its end is another one.
   */
  publishEnd(record: Pick<LectureRecord, 'id' | 'attempts'>, lecture: Lecture): Promise<void>;
  /** How many chunks have been announced, which is the number of the first that has not. */
  countPublished(lectureId: string, attempt: number): Promise<number>;
}

/**
 * KEYS: live hash, stream. ARGV: attempt, chunk, segment count, stream cap, expiry in seconds, channel, lecture.
 * Fields `count:<attempt>:<chunk>`, `next:<attempt>` (first chunk not yet sent), `from:<attempt>` (its first
 * segment id). Returns how many events were sent.
 */
const publishChunkScript = `
local live, stream = KEYS[1], KEYS[2]
local attempt = ARGV[1]
redis.call('HSETNX', live, 'count:' .. attempt .. ':' .. ARGV[2], ARGV[3])
local nextChunk = tonumber(redis.call('HGET', live, 'next:' .. attempt) or '0')
local from = tonumber(redis.call('HGET', live, 'from:' .. attempt) or '0')
local sent = 0
while true do
  local count = redis.call('HGET', live, 'count:' .. attempt .. ':' .. nextChunk)
  if not count then break end
  local data = string.format('{"type":"segments","attempt":%d,"chunk":%d,"from":%d,"count":%d}',
    tonumber(attempt), nextChunk, from, tonumber(count))
  redis.call('XADD', stream, 'MAXLEN', '~', ARGV[4], '*', 'event', data)
  from = from + tonumber(count)
  nextChunk = nextChunk + 1
  sent = sent + 1
end
redis.call('HSET', live, 'next:' .. attempt, nextChunk, 'from:' .. attempt, from)
redis.call('EXPIRE', live, ARGV[5])
redis.call('EXPIRE', stream, ARGV[5])
redis.call('PUBLISH', ARGV[6], ARGV[7])
return sent
`;

/** KEYS: live hash, stream. ARGV: mark of this end, change of the lecture, end, stream cap, expiry, channel, lecture. */
const publishEndScript = `
local live, stream = KEYS[1], KEYS[2]
if redis.call('HSETNX', live, 'end:' .. ARGV[1], 1) == 0 then return 0 end
redis.call('XADD', stream, 'MAXLEN', '~', ARGV[4], '*', 'event', ARGV[2])
redis.call('XADD', stream, 'MAXLEN', '~', ARGV[4], '*', 'event', ARGV[3])
redis.call('EXPIRE', live, ARGV[5])
redis.call('EXPIRE', stream, ARGV[5])
redis.call('PUBLISH', ARGV[6], ARGV[7])
return 1
`;

export function createEventPublisher(deps: { redis: Redis; keys: Keys }): EventPublisher {
  const { redis, keys } = deps;
  return {
    async publish(lectureId, event) {
      const stream = keys.events(lectureId);
      await redis
        .multi()
        .xadd(stream, 'MAXLEN', '~', maxEvents, '*', 'event', JSON.stringify(event))
        .expire(stream, liveTtlSeconds)
        .publish(keys.wake, lectureId)
        .exec();
    },
    async publishChunk(lectureId, attempt, chunk, segmentCount) {
      const [live, stream] = [keys.live(lectureId), keys.events(lectureId)];
      const expiry = [maxEvents, liveTtlSeconds];
      const wake = [keys.wake, lectureId];
      await redis.eval(publishChunkScript, 2, live, stream, attempt, chunk, segmentCount, ...expiry, ...wake);
    },
    async publishEnd({ id, attempts }, lecture) {
      const mark = toEndMark({ attempts });
      const told: StreamEvent[] = [
        { type: 'lecture', changes: lecture },
        { type: 'end', status: lecture.status },
      ];
      const bodies = told.map((event) => JSON.stringify(event));
      const rest = [maxEvents, liveTtlSeconds, keys.wake, id];
      await redis.eval(publishEndScript, 2, keys.live(id), keys.events(id), mark, ...bodies, ...rest);
    },
    async countPublished(lectureId, attempt) {
      return Number(await redis.hget(keys.live(lectureId), `next:${attempt}`));
    },
  };
}

/** Tells one end of a lecture from another: a retry by the user leads to the next. */
export function toEndMark({ attempts }: Pick<LectureRecord, 'attempts'>): number {
  return Object.values(attempts).reduce((sum, attempt) => sum + attempt - 1, 0);
}

export interface EventReader {
  /** Id of the newest event, or "0-0" when there is none. */
  lastId(lectureId: string): Promise<string>;
  /** Events after an id, oldest first. */
  readAfter(lectureId: string, id: string, limit: number): Promise<StoredEvent[]>;
  /** Whether every event after `id` is still there, so that a client may go on from it. */
  canResume(lectureId: string, id: string): Promise<boolean>;
  /** The event with exactly this id, or null when it is not (or no longer) there. */
  readAt(lectureId: string, id: string): Promise<StoredEvent | null>;
  /**
   * Where the stream stands: the newest id ("0-0" for none), and how many chunks of the attempt have been published
   * up to it, found in one step, so that no chunk is both before and after. `chunks` is null when nothing is known.
   */
  position(lectureId: string, attempt: number): Promise<{ id: string; chunks: number | null }>;
  /** Calls back whenever the lecture has new events. @returns a function that ends it */
  onWake(lectureId: string, listener: () => void): () => void;
  /**
   * Calls back whenever any lecture has new events, with its id, and with null when events may have been missed.
   * @returns a function that ends it
   */
  onAnyWake(listener: (lectureId: string | null) => void): () => void;
  close(): Promise<void>;
}

/** @param deps.subscriber a connection of its own: a subscribed connection can do nothing else */
export function createEventReader(deps: { redis: Redis; subscriber: Redis; keys: Keys }): EventReader {
  const { redis, subscriber, keys } = deps;
  const listeners = new Map<string, Set<() => void>>();
  const anyListeners = new Set<(lectureId: string | null) => void>();
  const subscribe = () => {
    subscriber.subscribe(keys.wake).catch(() => {});
  };
  // ioredis subscribes anew after a reconnect; what was missed meanwhile is read from the streams.
  subscriber.on('ready', () => {
    subscribe();
    for (const set of listeners.values()) for (const listener of set) listener();
    for (const listener of anyListeners) listener(null);
  });
  if (subscriber.status === 'ready') subscribe();
  subscriber.on('message', (channel: string, lectureId: string) => {
    if (channel !== keys.wake) return;
    for (const listener of listeners.get(lectureId) ?? []) listener();
    for (const listener of anyListeners) listener(lectureId);
  });

  return {
    async lastId(lectureId) {
      const [newest] = await redis.xrevrange(keys.events(lectureId), '+', '-', 'COUNT', 1);
      return newest?.[0] ?? '0-0';
    },
    async readAfter(lectureId, id, limit) {
      const entries = await redis.xrange(keys.events(lectureId), `(${id}`, '+', 'COUNT', limit);
      return entries.map(([entryId, fields]) => ({
        id: entryId,
        event: streamEventSchema.parse(JSON.parse(fields[1] ?? 'null')),
      }));
    },
    async canResume(lectureId, id) {
      const [entry] = await redis.xrange(keys.events(lectureId), id, id);
      return entry !== undefined;
    },
    async readAt(lectureId, id) {
      const [entry] = await redis.xrange(keys.events(lectureId), id, id);
      if (!entry) return null;
      return { id: entry[0], event: streamEventSchema.parse(JSON.parse(entry[1][1] ?? 'null')) };
    },
    async position(lectureId, attempt) {
      const [newest, next] = (await redis
        .multi()
        .xrevrange(keys.events(lectureId), '+', '-', 'COUNT', 1)
        .hget(keys.live(lectureId), `next:${attempt}`)
        .exec()) as [[Error | null, [string, string[]][]], [Error | null, string | null]];
      const failed = newest[0] ?? next[0];
      if (failed) throw failed;
      return { id: newest[1][0]?.[0] ?? '0-0', chunks: next[1] === null ? null : Number(next[1]) };
    },
    onWake(lectureId, listener) {
      const set = listeners.get(lectureId) ?? new Set();
      listeners.set(lectureId, set.add(listener));
      return () => {
        set.delete(listener);
        if (set.size === 0) listeners.delete(lectureId);
      };
    },
    onAnyWake(listener) {
      anyListeners.add(listener);
      return () => anyListeners.delete(listener);
    },
    async close() {
      listeners.clear();
      anyListeners.clear();
    },
  };
}
