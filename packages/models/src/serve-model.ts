import { AppError, toPlainError } from '@studymate/contracts/errors';
import type { FromModelProcess, ToModelProcess } from './protocol.ts';

/** What a piece of work may ask of the loop that runs it. */
export interface WorkContext {
  /** Fires when the work is cancelled; look at it between steps. */
  signal: AbortSignal;
  /** To be awaited between steps: work that interrupts is done here. Resolves at once when there is none. */
  pause(): Promise<void>;
}

/** What a model process runs: one family's models behind named operations. */
export interface ModelRuntime {
  /** An operation that calls `pause` must stand being called again in the middle of it. */
  run(op: string, payload: unknown, context: WorkContext): Promise<unknown>;
}

/** The child's end of the IPC channel: `process`, in a real child. */
export interface ModelChannel {
  send(message: FromModelProcess): void;
  onMessage(listener: (message: ToModelProcess) => void): void;
}

interface Task {
  id: number;
  op: string;
  payload: unknown;
  priority: number;
  interrupts: boolean;
  controller: AbortController;
}

/**
 * A clip is several pieces of work, each sent when the one before it was answered. So long is waited for the next piece:
 * going on at once would begin a step that cannot be broken off (an encoder run takes a quarter of a second).
 */
const defaultNextPieceMs = 25;
/** So long may a piece of work be kept waiting in its middle, all interruptions together: its deadline goes on. */
const maxInterruptedMs = 10_000;

/**
 * The loop inside a model process: loads once, then takes one piece of work after the other, the lowest
 * `priority` number first and the oldest first among equals. A piece is at most one window of speech, so a
 * short clip never waits for a whole chunk; a piece that interrupts does not even wait for the end of the window.
 */
export async function serveModel(deps: {
  load: () => Promise<ModelRuntime>;
  channel: ModelChannel;
  memoryBytes: () => number;
  /** How long is waited for the next piece of work that interrupts, once one is done. */
  nextPieceMs?: number;
}): Promise<void> {
  const { load, channel, memoryBytes, nextPieceMs = defaultNextPieceMs } = deps;
  const waiting: Task[] = [];
  /** The task that runs and, while one interrupts it, that one. */
  const running = new Map<number, Task>();
  let runtime: ModelRuntime | null = null;
  /** From taking a piece of work until the next may be taken. */
  let isTaken = false;
  let noticeArrival = (): void => undefined;

  const isUrgent = ({ interrupts }: Task): boolean => interrupts;
  /** Resolves when work that interrupts waits, or when none has come in time. */
  const nextPiece = async (): Promise<void> => {
    if (waiting.some(isUrgent)) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, nextPieceMs);
      noticeArrival = () => {
        if (!waiting.some(isUrgent)) return;
        clearTimeout(timer);
        resolve();
      };
    });
  };

  const execute = async (task: Task, loaded: ModelRuntime): Promise<void> => {
    let interruptedMs = 0;
    const pause = async (): Promise<void> => {
      while (running.size === 1 && !task.interrupts && interruptedMs < maxInterruptedMs) {
        const urgent = takeFirst(waiting, isUrgent);
        if (!urgent) return;
        const fromMs = performance.now();
        await execute(urgent, loaded);
        await nextPiece();
        interruptedMs += performance.now() - fromMs;
      }
    };
    running.set(task.id, task);
    channel.send({ type: 'started', id: task.id });
    const startMs = performance.now();
    const startedAtMs = Date.now();
    const { signal } = task.controller;
    try {
      const value = await loaded.run(task.op, task.payload, { signal, pause });
      const seconds = (performance.now() - startMs - interruptedMs) / 1000;
      const times = { startedAtMs, endedAtMs: Date.now() };
      channel.send({ type: 'done', id: task.id, value, seconds, times, memoryBytes: memoryBytes() });
    } catch (error) {
      const reported = signal.aborted ? new AppError('cancelled', 'The work was cancelled.') : error;
      channel.send({ type: 'failed', id: task.id, error: toPlainError(reported) });
    }
    running.delete(task.id);
  };

  const runNext = async (): Promise<void> => {
    if (isTaken || !runtime) return;
    const task = takeFirst(waiting, () => true);
    if (!task) return;
    isTaken = true;
    await execute(task, runtime);
    if (isUrgent(task) && waiting.length > 0) await nextPiece();
    isTaken = false;
    // A turn of the event loop lets messages in, so that a more urgent piece of work can go first.
    setImmediate(() => void runNext());
  };

  const cancel = (id: number): void => {
    const task = running.get(id);
    if (task) {
      task.controller.abort();
      return;
    }
    const at = waiting.findIndex((candidate) => candidate.id === id);
    if (at < 0) return;
    waiting.splice(at, 1);
    const error = toPlainError(new AppError('cancelled', 'The work was cancelled.'));
    channel.send({ type: 'failed', id, error });
  };

  channel.onMessage((message) => {
    if (message.type === 'ping') channel.send({ type: 'pong', memoryBytes: memoryBytes() });
    else if (message.type === 'cancel') cancel(message.id);
    else {
      waiting.push({ ...message, controller: new AbortController() });
      noticeArrival();
      void runNext();
    }
  });

  const startedAtMs = Date.now();
  try {
    runtime = await load();
  } catch (error) {
    channel.send({ type: 'load-failed', error: toPlainError(error) });
    return;
  }
  channel.send({ type: 'ready', times: { startedAtMs, endedAtMs: Date.now() }, memoryBytes: memoryBytes() });
  void runNext();
}

/** Removes and returns the most urgent of the tasks that may be taken. Queues are short (tens): a scan beats a heap. */
function takeFirst(tasks: Task[], mayBeTaken: (task: Task) => boolean): Task | undefined {
  let best = -1;
  tasks.forEach((task, i) => {
    if (mayBeTaken(task) && (best < 0 || task.priority < (tasks[best] as Task).priority)) best = i;
  });
  return best < 0 ? undefined : tasks.splice(best, 1)[0];
}
