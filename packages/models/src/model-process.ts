import type { ChildProcess } from 'node:child_process';
import { AppError, fromPlainError } from '@studymate/contracts/errors';
import { readProcessorTicks } from './processor-time.ts';
import type { FromModelProcess, ToModelProcess, WorkTimes } from './protocol.ts';

export interface RunOptions {
  /** Lower goes first. */
  priority: number;
  /** Done in the middle of a running piece, at its next step, instead of after it. For short work that somebody awaits. */
  interrupts?: boolean;
  /** Milliseconds that the work may take once it has begun; then the process is ended. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

export interface RunResult<T> {
  value: T;
  /** Seconds inside the model process, without what interrupted it. */
  seconds: number;
  times: WorkTimes;
}

/**
 * A sign of life is any message. Inference may block the process's event loop for long, on a busy machine very long, but
 * it uses the processor: while a piece of work runs that is a sign of life, too, and the work has its own deadline. So a
 * process that was stopped, or waits for what never comes, is found out soon, and a slow one is left alone. Misses are
 * counted, not seconds: a worker that was itself stopped for a while finds the answers waiting, and blames nobody.
 */
export interface Heartbeat {
  intervalMs: number;
  /** Beats without a sign of life after which a loaded process is ended. */
  loadedMisses: number;
  /** The same while it loads: opening the graph of a large model blocks the event loop for seconds. */
  loadingMisses: number;
}

/** 10 s when loaded. Loading the bundled models blocks for .3 s at most (measured); a graph of 1 GB from a slow disk, 10 s. */
export const defaultHeartbeat: Heartbeat = { intervalMs: 2_000, loadedMisses: 5, loadingMisses: 20 };

/** One child and what it has been asked to do. */
export interface ModelProcess {
  /**
   * Settles when the weights are loaded and warmed, with when that was.
   * @throws AppError what the load failed with, `timeout`, `model_crashed`
   */
  readonly loaded: Promise<WorkTimes>;
  /** Resolves when the process is gone. */
  readonly exited: Promise<void>;
  /** Whether it can be given work: false as soon as it was ended or has gone. */
  isUsable(): boolean;
  /** @throws AppError `cancelled`, `timeout`, `model_crashed`, or what the runtime threw */
  run<T>(op: string, payload: unknown, options: RunOptions): Promise<RunResult<T>>;
  /** Resident memory as it last said, or null. */
  memoryBytes(): number | null;
  /** Pieces of work without an answer. */
  openWork(): number;
  /** Kills the process; all open work fails with the reason. */
  end(reason: AppError): void;
}

export interface ModelProcessDeps {
  /** Names the model in messages. */
  name: string;
  child: ChildProcess;
  loadTimeoutMs: number;
  heartbeat: Heartbeat;
  /** Called when a result has come. */
  onProgress: () => void;
  /** Called once, when the process cannot be used any more; with the reason. */
  onEnd: (reason: AppError) => void;
}

interface Pending {
  resolve: (result: RunResult<unknown>) => void;
  reject: (error: Error) => void;
  timeoutMs: number;
  /** Set once the process has begun with it. */
  timer: NodeJS.Timeout | null;
}

/** Watches over a child that runs `serveModel`: its load, its signs of life, and a deadline for every piece of work. */
export function createModelProcess(deps: ModelProcessDeps): ModelProcess {
  const { name, child, heartbeat } = deps;
  const pending = new Map<number, Pending>();
  let isLoaded = false;
  let isUsable = true;
  let memoryBytes: number | null = null;
  let nextId = 1;
  let missedBeats = 0;

  const settle = (id: number): Pending | undefined => {
    const found = pending.get(id);
    if (!found) return undefined;
    pending.delete(id);
    if (found.timer) clearTimeout(found.timer);
    return found;
  };

  let loadSucceeded: (times: WorkTimes) => void = () => {};
  let loadFailed: (error: AppError) => void = () => {};
  const loaded = new Promise<WorkTimes>((resolve, reject) => {
    loadSucceeded = resolve;
    loadFailed = reject;
  });
  // Whoever loads awaits it; a process that is ended while nobody does must not end the worker.
  loaded.catch(() => {});

  const end = (reason: AppError): void => {
    if (!isUsable) return;
    isUsable = false;
    memoryBytes = null;
    clearInterval(beat);
    clearTimeout(loadTimer);
    child.kill('SIGKILL');
    loadFailed(reason);
    for (const id of [...pending.keys()]) settle(id)?.reject(reason);
    deps.onEnd(reason);
  };

  /** After a stop of this very process, timers are due before the answers that came meanwhile are read. */
  const afterReading = (act: () => void) => setImmediate(act);

  const loadTimer = setTimeout(
    () =>
      afterReading(() => {
        if (!isLoaded)
          end(new AppError('timeout', `Loading the ${name} model took longer than ${deps.loadTimeoutMs} ms.`));
      }),
    deps.loadTimeoutMs,
  );

  const isWorking = () => [...pending.values()].some(({ timer }) => timer !== null);
  let lastTicks: number | null = null;
  /** Whether it has used the processor since the last look; where that cannot be told it is believed to. */
  const hasRun = (): boolean => {
    const ticks = child.pid === undefined ? null : readProcessorTicks(child.pid);
    const isSame = ticks !== null && ticks === lastTicks;
    lastTicks = ticks;
    return !isSame;
  };
  const beat = setInterval(() => {
    if (isWorking() && hasRun()) {
      missedBeats = 0;
      return;
    }
    if (missedBeats >= (isLoaded ? heartbeat.loadedMisses : heartbeat.loadingMisses)) {
      const seconds = (missedBeats * heartbeat.intervalMs) / 1000;
      end(new AppError('model_crashed', `The ${name} model process gave no sign of life for ${seconds} s.`));
      return;
    }
    missedBeats++;
    send({ type: 'ping' });
  }, heartbeat.intervalMs);
  beat.unref();

  const send = (message: ToModelProcess, onError: (error: Error) => void = () => {}): void => {
    child.send(message, (error) => {
      if (error) onError(error);
    });
  };

  const watchDeadline = (id: number): void => {
    const work = pending.get(id);
    if (!work) return;
    const overdue = () => {
      if (!pending.has(id)) return;
      end(new AppError('timeout', `The ${name} model took longer than ${work.timeoutMs} ms.`));
    };
    work.timer = setTimeout(() => afterReading(overdue), work.timeoutMs);
  };

  child.on('message', (message: FromModelProcess) => {
    missedBeats = 0;
    if (!isUsable) return;
    switch (message.type) {
      case 'ready':
        isLoaded = true;
        clearTimeout(loadTimer);
        memoryBytes = message.memoryBytes;
        loadSucceeded(message.times);
        break;
      case 'load-failed':
        end(fromPlainError(message.error));
        break;
      case 'pong':
        memoryBytes = message.memoryBytes;
        break;
      case 'started':
        watchDeadline(message.id);
        break;
      case 'done':
        memoryBytes = message.memoryBytes;
        deps.onProgress();
        settle(message.id)?.resolve({
          value: message.value,
          seconds: message.seconds,
          times: message.times,
        });
        break;
      case 'failed':
        settle(message.id)?.reject(fromPlainError(message.error));
        break;
    }
  });

  const exited = new Promise<void>((resolve) => {
    const gone = () => {
      resolve();
      const when = isLoaded ? 'in the middle of the work' : 'while it was loading';
      end(new AppError('model_crashed', `The ${name} model process ended ${when}.`));
    };
    child.once('exit', gone);
    // A child that could not be started has no exit. The same event says that a message could not be sent.
    child.on('error', () => {
      if (child.pid === undefined) gone();
    });
  });

  return {
    loaded,
    exited,
    isUsable: () => isUsable,
    run<T>(op: string, payload: unknown, options: RunOptions) {
      const { signal, priority, timeoutMs, interrupts = false } = options;
      if (signal?.aborted) return Promise.reject(new AppError('cancelled', 'The work was cancelled.'));
      if (!isUsable) return Promise.reject(new AppError('model_crashed', `The ${name} model process is gone.`));
      const id = nextId++;
      return new Promise<RunResult<T>>((resolve, reject) => {
        // The caller goes on at once; the entry and its deadline stay until the process has answered, or a process
        // that hangs would never be found out.
        const onAbort = () => {
          if (child.connected) send({ type: 'cancel', id });
          reject(new AppError('cancelled', 'The work was cancelled.'));
        };
        signal?.addEventListener('abort', onAbort, { once: true });
        const done = () => signal?.removeEventListener('abort', onAbort);
        pending.set(id, {
          resolve: (result) => {
            done();
            resolve(result as RunResult<T>);
          },
          reject: (error) => {
            done();
            reject(error);
          },
          timeoutMs,
          timer: null,
        });
        send({ type: 'run', id, op, payload, priority, interrupts }, (cause) =>
          settle(id)?.reject(new AppError('model_crashed', `The ${name} model process is gone.`, { cause })),
        );
      });
    },
    memoryBytes: () => memoryBytes,
    openWork: () => pending.size,
    end,
  };
}
