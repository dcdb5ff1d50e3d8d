import type { LectureEvent } from '@studymate/contracts/events';
import { ApiError, toApiError } from './api-error.ts';
import { readEventStream } from './event-stream.ts';

export interface FollowOptions {
  /** Ends the iteration without an error. */
  signal?: AbortSignal;
  /** Goes on after this event, as long as the server still has all that came after it. */
  lastEventId?: string;
  /** Called whenever the connection was lost and is made anew. */
  onReconnect?: (error: unknown) => void;
}

const firstRetryMs = 1_000;
const maxRetryMs = 15_000;
/** The server sends something every 15 s; after three times that the connection is dead. */
const silenceMs = 45_000;

/**
 * A lecture's events until its `end`. A lost connection is made anew and goes on after the last event; when that is
 * no longer possible a fresh `snapshot` comes, followed by all text from 0.
 * @throws ApiError for answers that another try would not change, such as `not_found`
 */
export async function* followLecture(
  fetchEvents: (init: { headers: Record<string, string>; signal: AbortSignal }) => Promise<Response>,
  options: FollowOptions = {},
): AsyncGenerator<LectureEvent, void, undefined> {
  let lastEventId = options.lastEventId ?? null;
  let serverRetryMs = firstRetryMs;
  let failures = 0;
  const isOver = () => options.signal?.aborted === true;

  while (!isOver()) {
    const connection = new AbortController();
    const abort = () => connection.abort();
    options.signal?.addEventListener('abort', abort);
    let silence = setTimeout(abort, silenceMs);
    const onActivity = () => {
      clearTimeout(silence);
      silence = setTimeout(abort, silenceMs);
    };
    let lost: unknown = new Error('The connection ended.');
    try {
      const headers: Record<string, string> = { accept: 'text/event-stream' };
      if (lastEventId) headers['last-event-id'] = lastEventId;
      const response = await fetchEvents({ headers, signal: connection.signal });
      if (response.status === 204) return;
      if (!response.ok || !response.body) throw await toApiError(response);
      onActivity();
      const onRetry = (ms: number) => {
        serverRetryMs = ms;
      };
      for await (const event of readEventStream(response.body, { onActivity, onRetry })) {
        lastEventId = event.lastEventId ?? lastEventId;
        failures = 0;
        const { data, name } = event;
        const parsed = { type: name, ...JSON.parse(data) } as LectureEvent;
        yield parsed;
        if (parsed.type === 'end') return;
      }
    } catch (error) {
      lost = error;
      const isFinal = error instanceof ApiError && error.status < 500 && error.status !== 429;
      if (isFinal) throw error;
    } finally {
      clearTimeout(silence);
      options.signal?.removeEventListener('abort', abort);
      connection.abort();
    }
    if (isOver()) return;
    options.onReconnect?.(lost);
    const asked = lost instanceof ApiError && lost.retryAfterSeconds !== null ? lost.retryAfterSeconds * 1_000 : 0;
    const backoffMs = Math.min(maxRetryMs, serverRetryMs * 2 ** failures++);
    await pause(Math.max(asked, backoffMs), options.signal);
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
  });
}
