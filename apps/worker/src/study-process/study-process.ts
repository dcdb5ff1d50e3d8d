import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { AppError, fromPlainError, type PlainError } from '@studymate/contracts/errors';
import { forkWithUs } from '../fork-with-us.ts';
import type { StudyOperation, StudyOperations } from './operations.ts';

export interface ToStudyProcess {
  id: number;
  operation: StudyOperation;
  input: unknown;
}
export type FromStudyProcess = { id: number; value: unknown } | { id: number; error: PlainError };

export interface StudyProcess {
  /**
   * Runs a study algorithm beside the main loop; pieces of work wait for each other.
   * @throws AppError `timeout`, `cancelled`, `internal` when the process ended, or what the algorithm threw
   */
  run<O extends StudyOperation>(
    operation: O,
    input: Parameters<StudyOperations[O]>[0],
    signal: AbortSignal,
  ): Promise<ReturnType<StudyOperations[O]>>;
  /** Starts the process and keeps it, so that the first work need not wait for that. */
  keep(): void;
  close(): Promise<void>;
}

/** An unused process is ended, which gives its memory back. */
const idleMs = 30_000;
/** Enough for the longest lecture that is taken; what needs longer has gone wrong. */
const timeoutMs = 5 * 60_000;

interface Pending {
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
  /** Runs from the moment the process has begun with it. */
  timer: NodeJS.Timeout | null;
}

/** @param deps.path the bundled program */
export function createStudyProcess(deps: { path: string }): StudyProcess {
  let child: ChildProcess | null = null;
  let idleTimer: NodeJS.Timeout | null = null;
  let nextId = 1;
  let isKept = false;
  const pending = new Map<number, Pending>();

  const settle = (id: number): Pending | undefined => {
    const found = pending.get(id);
    if (!found) return undefined;
    pending.delete(id);
    if (found.timer) clearTimeout(found.timer);
    if (pending.size === 0 && !isKept) {
      idleTimer = setTimeout(() => void stop(), idleMs);
      idleTimer.unref();
    }
    return found;
  };

  const fail = (error: AppError): void => {
    for (const id of [...pending.keys()]) settle(id)?.reject(error);
  };

  const stop = async (): Promise<void> => {
    const ending = child;
    child = null;
    if (idleTimer) clearTimeout(idleTimer);
    if (!ending || ending.exitCode !== null || ending.signalCode !== null) return;
    const exited = once(ending, 'exit');
    ending.kill('SIGKILL');
    await exited;
  };

  /** The process takes its work in order: the first that waits for an answer is the one it is at. */
  const watchFirst = (): void => {
    const [first] = pending.values();
    if (!first || first.timer) return;
    first.timer = setTimeout(() => {
      fail(new AppError('timeout', `The study process took longer than ${timeoutMs / 60_000} minutes.`));
      void stop();
    }, timeoutMs);
  };

  const start = (): ChildProcess => {
    const started = forkWithUs(deps.path, [], ['--max-old-space-size=1024', '--enable-source-maps']);
    started.on('message', (answer: FromStudyProcess) => {
      const waiting = settle(answer.id);
      watchFirst();
      if ('error' in answer) waiting?.reject(fromPlainError(answer.error));
      else waiting?.resolve(answer.value);
    });
    const ended = () => {
      if (child !== started) return;
      child = null;
      fail(new AppError('internal', 'The study process ended in the middle of the work.'));
    };
    started.on('error', ended);
    started.on('exit', ended);
    return started;
  };

  return {
    run(operation, input, signal) {
      if (signal.aborted) return Promise.reject(new AppError('cancelled', 'The work was cancelled.'));
      if (idleTimer) clearTimeout(idleTimer);
      child ??= start();
      const id = nextId++;
      return new Promise((resolve, reject) => {
        // An algorithm cannot be stopped half-way: the caller goes on, the entry stays until the process is done with it.
        const onAbort = () => reject(new AppError('cancelled', 'The work was cancelled.'));
        signal.addEventListener('abort', onAbort, { once: true });
        const done =
          <T>(settleWith: (value: T) => void) =>
          (value: T) => {
            signal.removeEventListener('abort', onAbort);
            settleWith(value);
          };
        pending.set(id, { resolve: done(resolve as (value: unknown) => void), reject: done(reject), timer: null });
        watchFirst();
        // A process that has just ended says so by its exit.
        child?.send({ id, operation, input } satisfies ToStudyProcess, () => {});
      });
    },
    keep() {
      isKept = true;
      child ??= start();
    },
    async close() {
      fail(new AppError('cancelled', 'The worker is stopping.'));
      await stop();
    },
  };
}
