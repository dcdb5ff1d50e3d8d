/** How quickly bytes go, over the last seconds. */
export interface Speedometer {
  /** @param bytes in all so far @param nowMs of a clock that never goes back */
  note(bytes: number, nowMs: number): void;
  /** Bytes a second, or null while too little has been seen to say. */
  readonly bytesPerSecond: number | null;
}

const windowMs = 5_000;
const minMs = 500;

export function createSpeedometer(): Speedometer {
  let seen: { bytes: number; atMs: number }[] = [];
  return {
    note(bytes, nowMs) {
      // What had come before a pause or an interruption says nothing about now.
      const last = seen.at(-1);
      if (last !== undefined && (bytes < last.bytes || nowMs - last.atMs > windowMs)) seen = [];
      seen.push({ bytes, atMs: nowMs });
      while (seen.length > 2 && nowMs - (seen[0]?.atMs ?? 0) > windowMs) seen.shift();
    },
    get bytesPerSecond() {
      const first = seen[0];
      const last = seen.at(-1);
      if (first === undefined || last === undefined || last.atMs - first.atMs < minMs) return null;
      return ((last.bytes - first.bytes) * 1000) / (last.atMs - first.atMs);
    },
  };
}
