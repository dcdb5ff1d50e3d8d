import { AppError } from '@studymate/contracts/errors';

/** One source of pieces that any number of callers read, each from its beginning. */
export interface SharedStream<T> {
  /** The source begins with the first reader, and is told to stop when the last has left. */
  join(signal: AbortSignal): AsyncGenerator<T>;
}

/**
 * @param deps.start called once. What it yields is kept for as long as the stream is: it must not be long.
 * @param deps.onEnd called once, when the source has ended or nobody waits for it any more: nobody may join after that
 */
export function createSharedStream<T>(deps: {
  start(signal: AbortSignal): AsyncIterable<T>;
  onEnd(): void;
}): SharedStream<T> {
  const pieces: T[] = [];
  const leaving = new AbortController();
  const waiting = new Set<() => void>();
  let readers = 0;
  let running = false;
  let end: { error?: unknown } | null = null;
  let isToldOfEnd = false;

  const wake = () => {
    for (const look of [...waiting]) look();
  };
  const tellEnd = () => {
    if (!isToldOfEnd) deps.onEnd();
    isToldOfEnd = true;
  };
  const run = async () => {
    try {
      for await (const piece of deps.start(leaving.signal)) {
        pieces.push(piece);
        wake();
      }
      end = {};
    } catch (error) {
      end = { error };
    }
    tellEnd();
    wake();
  };
  /** Until there is more to read, or the reader's own signal fires. */
  const change = (signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      const done = () => {
        waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      waiting.add(done);
      signal.addEventListener('abort', done, { once: true });
    });

  return {
    async *join(signal) {
      readers++;
      if (!running) run();
      running = true;
      try {
        for (let next = 0; ; ) {
          if (next < pieces.length) {
            yield pieces[next++] as T;
          } else if (end) {
            if ('error' in end) throw end.error;
            return;
          } else if (signal.aborted) {
            throw new AppError('cancelled', 'The caller has gone.');
          } else {
            await change(signal);
          }
        }
      } finally {
        readers--;
        if (readers === 0 && !end) {
          tellEnd();
          leaving.abort();
        }
      }
    },
  };
}
