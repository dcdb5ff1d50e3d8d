import { setTimeout as delay } from 'node:timers/promises';

/**
 * Looks again and again until there is something to see.
 * @param look gives what was found, or null (undefined, false) for not yet
 * @throws Error that names `what` when there is nothing after `timeoutMs`
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  { timeoutMs = 180_000, everyMs = 25 }: { timeoutMs?: number; everyMs?: number } = {},
): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() > deadlineMs) throw new Error(`not seen within ${timeoutMs / 1000} s: ${what}`);
    await delay(everyMs);
  }
}
