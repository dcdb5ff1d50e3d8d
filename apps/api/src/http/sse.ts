import { pipeline, type Writable } from 'node:stream';
import { constants, createGzip } from 'node:zlib';
import type { Response } from 'express';

/** A reader for whom more than this waits in memory is too slow to be sent more. */
const maxPendingBytes = 1024 * 1024;
/** How long such a reader may take to catch up before its connection is cut. */
const defaultDrainTimeoutMs = 30_000;

export interface SseOptions {
  /** How soon a reader shall come back after a cut. */
  retryMs?: number;
  drainTimeoutMs?: number;
  /**
   * For a stream that is long at once and soon over, to a reader that takes gzip. It costs some 260 KiB of memory as long
   * as it is open: too much for one that waits for what comes.
   */
  gzip?: boolean;
}

export interface SseEvent {
  name?: string;
  id?: string;
  data: unknown;
  /** The event as `toSseFrame` writes it, where it was written for another reader already. */
  frame?: Buffer;
}

export interface SseWriter {
  /** Aborted when the reader is gone. */
  readonly signal: AbortSignal;
  /** Sends one event; waits while the reader is behind. Does nothing once it is gone. */
  send(event: SseEvent): Promise<void>;
  /** A comment: keeps proxies from closing a quiet connection. */
  comment(text: string): void;
  /** Tells the reader how soon to come back, and ends the stream; who does not take the rest of it in time is cut off. */
  end(options?: { retryMs?: number }): void;
}

/** One event as it goes over the line. */
export function toSseFrame({ name, id, data }: SseEvent): Buffer {
  const lines = [name && `event: ${name}`, id && `id: ${id}`, `data: ${JSON.stringify(data)}`];
  return Buffer.from(`${lines.filter(Boolean).join('\n')}\n\n`);
}

/** Begins an event stream. Proxies are told not to buffer it. */
export function openSse(res: Response, options: SseOptions = {}): SseWriter {
  const drainTimeoutMs = options.drainTimeoutMs ?? defaultDrainTimeoutMs;
  const gone = new AbortController();
  res.locals.isStream = true;
  res.status(200);
  res.setHeader('content-type', 'text/event-stream; charset=utf-8');
  res.setHeader('cache-control', 'no-store');
  res.setHeader('x-accel-buffering', 'no');
  res.once('close', () => gone.abort());
  // Gone already: "close" does not come again.
  if (res.destroyed) gone.abort();
  res.on('error', () => gone.abort());
  if (options.gzip) res.setHeader('content-encoding', 'gzip');
  res.flushHeaders();
  const out = options.gzip ? compressTo(res) : res;
  if (options.retryMs !== undefined) out.write(`retry: ${options.retryMs}\n\n`);

  return {
    signal: gone.signal,
    async send(event) {
      if (gone.signal.aborted) return;
      out.write(event.frame ?? toSseFrame(event));
      if (out.writableLength > maxPendingBytes) await drained(out, res, gone, drainTimeoutMs);
    },
    comment(text) {
      if (!gone.signal.aborted && out.writableLength <= maxPendingBytes) out.write(`: ${text}\n\n`);
    },
    end({ retryMs } = {}) {
      if (gone.signal.aborted) return;
      if (retryMs !== undefined) out.write(`retry: ${retryMs}\n\n`);
      out.end();
      // Nobody waits for it any more, and what was not taken would stay in memory as long as its reader likes.
      const timer = setTimeout(() => res.destroy(), drainTimeoutMs);
      res.once('close', () => clearTimeout(timer));
    },
  };
}

/** Each write is sent at once; a compressor would otherwise hold events back until it has enough of them. */
function compressTo(res: Response): Writable {
  const gzip = createGzip({ flush: constants.Z_SYNC_FLUSH });
  // What breaks off is told by the answer's own "close".
  pipeline(gzip, res, () => {});
  return gzip;
}

/** Waits until the reader has caught up; cuts the connection of one that does not. It may resume where it was. */
function drained(out: Writable, res: Response, gone: AbortController, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      out.off('drain', done);
      gone.signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(() => {
      res.destroy();
      // At once: "close" comes only later, and until then the sender would go on.
      gone.abort();
    }, timeoutMs);
    out.once('drain', done);
    gone.signal.addEventListener('abort', done);
    if (gone.signal.aborted || !out.writableNeedDrain) done();
  });
}
