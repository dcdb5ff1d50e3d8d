import { AppError } from '@studymate/contracts/errors';
import type { LectureEvent } from '@studymate/contracts/events';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import type { Segment } from '@studymate/contracts/transcript';
import type { Logger } from '@studymate/observability/logger';
import type { StoredEvent } from '@studymate/queue/events';
import { attemptOf } from '@studymate/queue/next-jobs';
import { withRedis } from '@studymate/queue/redis';
import { type SseEvent, type SseWriter, toSseFrame } from '../http/sse.ts';
import type { Services } from '../services.ts';
import { createLectureFeed } from './lecture-feed.ts';
import { hasEnded, type LectureReader } from './lecture-reader.ts';
import { readChunkText, readTextSoFar } from './lecture-text.ts';

export interface EventStreams {
  /**
   * Where a reader that gives its last event id goes on: after that event; or from the beginning (null) when it is
   * too old; or nowhere, because that event was the last of all.
   */
  findResume(record: LectureRecord, lastEventId: string | undefined): Promise<string | null | 'complete'>;
  /**
   * Sends a lecture's events until it ends, the reader leaves or the API stops.
   * @throws AppError `too_many_requests` before anything is sent
   */
  follow(record: LectureRecord, open: (kind: StreamKind) => SseWriter, resumeId: string | null): Promise<void>;
  readonly listenerCount: number;
  /** Ends all streams; readers come back after a moment, to this process's successor. */
  close(): void;
}

const maxListeners = 1_000;
/** Well under the 60 s after which proxies give up on a quiet connection. */
const heartbeatMs = 15_000;
const batchSize = 200;
/** An hour of speech has about 600 segments; a whole day must not become one string. */
const segmentsPerEvent = 2_000;
const comeBackMs = 1_000;

/** `whole`: all there is to tell is sent at once, and the stream is over. */
export type StreamKind = 'whole' | 'followed';

type Sender = Pick<SseWriter, 'send' | 'comment'> & {
  /** Before anything is sent; without it, it is followed. */
  begin(kind: StreamKind): void;
};

/** How far one reader has come. */
interface Progress {
  position: string;
  attempt: number;
  /** Segments of this attempt that it has. */
  segmentsSent: number;
}

export function createEventStreams(deps: {
  services: Services;
  reader: LectureReader;
  logger: Pick<Logger, 'warn'>;
}): EventStreams {
  const { lectures, artifacts, events } = deps.services;
  const feed = createLectureFeed({ events });
  const followers = new Set<AbortController>();
  /** What was read once for many is also written once: by the object that they share. */
  const frames = new WeakMap<object, Buffer>();
  let isStopping = false;

  /** @param shared an object that is the same for all to whom the very same event is sent */
  const send = (
    sse: Sender,
    { type, ...data }: LectureEvent | StoredEvent['event'],
    id?: string,
    shared?: object,
  ): Promise<void> => {
    const event: SseEvent = { name: type, data, ...(id !== undefined && id !== '0-0' && { id }) };
    if (!shared) return sse.send(event);
    const frame = frames.get(shared) ?? toSseFrame(event);
    frames.set(shared, frame);
    return sse.send({ ...event, frame });
  };

  const sendText = async (sse: Sender, segments: Segment[], from: number, id: string): Promise<void> => {
    for (let i = 0; i < segments.length; i += segmentsPerEvent) {
      const part = segments.slice(i, i + segmentsPerEvent);
      // The id comes with the last part: who is cut off before it starts again from the beginning.
      const isLast = i + part.length === segments.length;
      const event: LectureEvent = { type: 'segments', from: from + i, segments: part };
      // Of a text in parts, each reader has its own.
      await send(sse, event, isLast ? id : undefined, part.length === segments.length ? segments : undefined);
    }
  };

  /** The lecture as it is and its text so far. @returns null when it has ended, which was then sent too */
  const sendSnapshot = async (record: LectureRecord, sse: Sender): Promise<Progress | null> => {
    const attempt = attemptOf(record, 'transcribe');
    // Without Redis a finished lecture can still be shown; one in progress cannot be followed.
    const position = await withRedis(() => events.position(record.id, attempt)).catch((error) => error as AppError);
    // Read after the position: what changed in between is told by the events that follow it.
    const current = await lectures.read(record.id);
    if (!current) throw new AppError('not_found', 'There is no such lecture.');
    const lecture = await deps.reader.toView(current);
    if (position instanceof AppError && !hasEnded(lecture)) throw position;
    const { id, chunks } = position instanceof AppError ? { id: '0-0', chunks: null } : position;
    // A retry that came in between has its own numbering; its text comes by events from 0.
    const isSame = attemptOf(current, 'transcribe') === attempt;
    const text = isSame
      ? await readTextSoFar({ ...deps.services, logger: deps.logger }, current, hasEnded(lecture) ? null : chunks)
      : [];
    sse.begin(hasEnded(lecture) ? 'whole' : 'followed');
    await send(sse, { type: 'snapshot', lecture }, text.length === 0 ? id : undefined);
    await sendText(sse, text, 0, id);
    if (hasEnded(lecture)) {
      await send(sse, { type: 'end', status: lecture.status }, toEndId(id));
      return null;
    }
    return { position: id, attempt, segmentsSent: text.length };
  };

  /** @returns false when the text is gone, that is, the lecture was deleted */
  const sendStored = async (lectureId: string, sse: Sender, { id, event }: StoredEvent, progress: Progress) => {
    if (event.type !== 'segments') {
      await send(sse, event, id, event);
      return true;
    }
    if (event.attempt < progress.attempt) return true;
    if (event.attempt > progress.attempt) {
      progress.attempt = event.attempt;
      progress.segmentsSent = 0;
    }
    // Published once more after Redis had lost its data.
    if (event.from + event.count <= progress.segmentsSent) return true;
    const place = { lectureId, attempt: event.attempt, chunk: event.chunk, from: event.from };
    // With the event's id: what is written for one event must not be sent for another.
    const text = await feed.share(JSON.stringify({ ...place, id }), () => readChunkText(artifacts, place));
    if (!text) return false;
    await sendText(sse, text, event.from, id);
    progress.segmentsSent = event.from + text.length;
    return true;
  };

  /** Looks at the store when the stream is silent: the lecture may be gone, or have ended without a last event. */
  const sendEndIfOver = async (lectureId: string, sse: Sender, { position }: Progress): Promise<boolean> => {
    const record = await lectures.read(lectureId);
    if (!record) {
      await send(sse, { type: 'end', status: 'cancelled' });
      return true;
    }
    const lecture = await deps.reader.toView(record);
    if (!hasEnded(lecture)) return false;
    await send(sse, { type: 'lecture', changes: lecture });
    await send(sse, { type: 'end', status: lecture.status }, toEndId(position));
    return true;
  };

  const followStream = async (
    record: LectureRecord,
    sse: Sender,
    progress: Progress,
    over: AbortSignal,
  ): Promise<void> => {
    const bell = createBell(over);
    const unsubscribe = feed.onWake(record.id, bell.ring);
    try {
      let mustLook = true;
      // Who comes back may have missed the end itself, behind which more was told.
      let hasLooked = false;
      while (!over.aborted) {
        // An outage of Redis is waited out: the connection rings when it is back.
        const batch = await withRedis(() => feed.readAfter(record.id, progress.position, batchSize)).catch(() => null);
        for (const [i, stored] of (batch ?? []).entries()) {
          const isNewest = i === (batch?.length ?? 0) - 1;
          // After a retry the stream goes on behind an earlier end.
          if (stored.event.type !== 'end' || isNewest) {
            if (!(await sendStored(record.id, sse, stored, progress))) {
              await sendEndIfOver(record.id, sse, progress);
              return;
            }
            if (stored.event.type === 'end') return;
          }
          progress.position = stored.id;
          if (over.aborted) return;
        }
        if (batch && batch.length > 0) {
          mustLook = !hasLooked;
          continue;
        }
        if (batch && mustLook) {
          hasLooked = true;
          if (await sendEndIfOver(record.id, sse, progress)) return;
        }
        const rang = await bell.wait(heartbeatMs);
        if (!rang) sse.comment('keep-alive');
        mustLook = true;
      }
    } finally {
      unsubscribe();
    }
  };

  return {
    async findResume(record, lastEventId) {
      const [, at, seenEnd] = /^(\d{1,16}-\d{1,16})(-end)?$/.exec(lastEventId ?? '') ?? [];
      if (at === undefined) return null;
      const last = await withRedis(() => events.readAt(record.id, at)).catch(() => null);
      if (last?.event.type === 'end' || seenEnd !== undefined) {
        const more = await withRedis(() => events.readAfter(record.id, at, 1)).catch(() => []);
        if (more.length === 0 && hasEnded(await deps.reader.toView(record))) return 'complete';
      }
      return last ? at : null;
    },
    async follow(record, open, resumeId) {
      if (followers.size >= maxListeners || isStopping) {
        throw new AppError('too_many_requests', 'Too many lectures are being followed.', {
          details: { retryAfterSeconds: 5 },
        });
      }
      const over = new AbortController();
      followers.add(over);
      let opened: SseWriter | undefined;
      // Opened with the first thing to say, so that what fails before is an ordinary answer.
      const writer = (kind: StreamKind = 'followed'): SseWriter => {
        if (!opened) {
          opened = open(kind);
          opened.signal.addEventListener('abort', () => over.abort());
          // Gone before there was anything to say.
          if (opened.signal.aborted) over.abort();
        }
        return opened;
      };
      const sse: Sender = {
        begin: (kind) => void writer(kind),
        send: (event) => writer().send(event),
        comment: (text) => writer().comment(text),
      };
      try {
        const progress: Progress | null =
          resumeId === null
            ? await sendSnapshot(record, sse)
            : { position: resumeId, attempt: attemptOf(record, 'transcribe'), segmentsSent: 0 };
        // Also opens a stream that has nothing to say yet.
        writer();
        if (progress) await followStream(record, sse, progress, over.signal);
      } finally {
        followers.delete(over);
        opened?.end(isStopping ? { retryMs: comeBackMs } : {});
      }
    },
    get listenerCount() {
      return followers.size;
    },
    close() {
      isStopping = true;
      for (const follower of followers) follower.abort();
    },
  };
}

/** Of an end that is not in the stream, or lies before its last events: by it one is known who has seen all. */
function toEndId(position: string): string {
  return `${position}-end`;
}

/** Something to wait at: a ring that comes while nobody waits is not lost. */
function createBell(over: AbortSignal) {
  let rung = false;
  let wake: (() => void) | undefined;
  const ring = () => {
    rung = true;
    wake?.();
  };
  over.addEventListener('abort', ring);
  return {
    ring,
    /** @returns whether it rang, or the time was over */
    async wait(timeoutMs: number): Promise<boolean> {
      if (!rung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, timeoutMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        wake = undefined;
      }
      const rang = rung;
      rung = false;
      return rang;
    },
  };
}
