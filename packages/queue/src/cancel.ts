import type { Redis } from 'ioredis';
import type { Keys } from './keys.ts';

/** Tells every worker to stop what it does for a lecture. The record says the same for good. */
export async function announceCancel(redis: Redis, keys: Keys, lectureId: string): Promise<void> {
  await redis.publish(keys.cancel, lectureId);
}

export interface CancelListener {
  /** A signal that fires when the lecture is cancelled; call `release` when the work is over. */
  watch(lectureId: string): { signal: AbortSignal; release(): void };
}

/** @param deps.subscriber a connection of its own */
export function createCancelListener(deps: { subscriber: Redis; keys: Keys }): CancelListener {
  const watchers = new Map<string, Set<AbortController>>();
  deps.subscriber.subscribe(deps.keys.cancel).catch(() => {});
  deps.subscriber.on('message', (channel: string, lectureId: string) => {
    if (channel !== deps.keys.cancel) return;
    for (const controller of watchers.get(lectureId) ?? []) controller.abort();
  });
  return {
    watch(lectureId) {
      const controller = new AbortController();
      const set = watchers.get(lectureId) ?? new Set();
      watchers.set(lectureId, set.add(controller));
      return {
        signal: controller.signal,
        release() {
          set.delete(controller);
          if (set.size === 0) watchers.delete(lectureId);
        },
      };
    },
  };
}
