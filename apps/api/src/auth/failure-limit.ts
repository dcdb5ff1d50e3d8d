import { isIPv6 } from 'node:net';

export interface FailureLimit {
  /** Seconds until the address may try again, or null while it may. */
  retryAfterSeconds(address: string): number | null;
  countFailure(address: string): void;
}

const defaultMaxFailures = 20;
const defaultWindowMs = 60_000;
const maxAddresses = 10_000;

/**
 * How often an address may present a key that is none, in memory. It bounds the work and the log lines that guessing
 * costs; that guessing leads nowhere is the keys' own doing (256 bits).
 */
export function createFailureLimit(
  options: { maxFailures?: number; windowMs?: number; now?: () => number } = {},
): FailureLimit {
  const { maxFailures = defaultMaxFailures, windowMs = defaultWindowMs, now = () => performance.now() } = options;
  const failures = new Map<string, { count: number; endMs: number }>();

  const current = (network: string) => {
    const entry = failures.get(network);
    if (entry && entry.endMs > now()) return entry;
    failures.delete(network);
    return undefined;
  };

  return {
    retryAfterSeconds(address) {
      const entry = current(toNetwork(address));
      return entry && entry.count >= maxFailures ? Math.max(1, Math.ceil((entry.endMs - now()) / 1000)) : null;
    },
    countFailure(address) {
      const network = toNetwork(address);
      const entry = current(network);
      if (entry) {
        entry.count++;
        return;
      }
      // The oldest goes: a map keeps the order in which keys were added.
      const oldest = failures.keys().next();
      if (failures.size >= maxAddresses && !oldest.done) failures.delete(oldest.value);
      failures.set(network, { count: 1, endMs: now() + windowMs });
    },
  };
}

/** One household or machine has a whole /64 of IPv6 addresses; of IPv4 it has one. */
export function toNetwork(address: string): string {
  const plain = address.replace(/%.*$/, '');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1];
  if (mapped) return mapped;
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::');
  const first = head === '' ? [] : head.split(':');
  if (tail === undefined) return `${first.slice(0, 4).join(':')}::/64`;
  const last = tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => '0');
  return `${[...first, ...zeros, ...last].slice(0, 4).join(':')}::/64`;
}
