import type { PlainError } from '@studymate/contracts/errors';

/**
 * What the worker and a model process say to each other over Node's IPC channel (serialization "advanced", so
 * typed arrays cross as they are).
 */
export type ToModelProcess =
  | { type: 'run'; id: number; op: string; payload: unknown; priority: number; interrupts: boolean }
  | { type: 'cancel'; id: number }
  /** Answered by `pong` at the next turn of the event loop. */
  | { type: 'ping' };

/** When a piece of work was done inside the process, interruptions included: milliseconds since 1970. */
export interface WorkTimes {
  startedAtMs: number;
  endedAtMs: number;
}

export type FromModelProcess =
  /** Weights are loaded and warmed. */
  | { type: 'ready'; times: WorkTimes; memoryBytes: number }
  | { type: 'load-failed'; error: PlainError }
  | { type: 'pong'; memoryBytes: number }
  /** The work left the queue inside the process; deadlines count from here. */
  | { type: 'started'; id: number }
  | { type: 'done'; id: number; value: unknown; seconds: number; times: WorkTimes; memoryBytes: number }
  | { type: 'failed'; id: number; error: PlainError };
