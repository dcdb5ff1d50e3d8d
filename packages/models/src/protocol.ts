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

export type FromModelProcess =
  /** Weights are loaded and warmed. */
  | { type: 'ready'; loadSeconds: number; memoryBytes: number }
  | { type: 'load-failed'; error: PlainError }
  | { type: 'pong'; memoryBytes: number }
  /** The work left the queue inside the process; deadlines count from here. */
  | { type: 'started'; id: number }
  | { type: 'done'; id: number; value: unknown; seconds: number; memoryBytes: number }
  | { type: 'failed'; id: number; error: PlainError };
