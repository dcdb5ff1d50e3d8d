/** Bytes that come in pieces of any size and go in parts of one size, gathered in the same memory each time. */
export interface PartBuffer {
  readonly bytes: number;
  /** Whether a whole part is there, to be sent and cleared before more is added. */
  readonly isFull: boolean;
  /** @returns how many of the first bytes there was room for */
  add(piece: Uint8Array): number;
  /** All that is there. What is added after `clear` overwrites it. */
  peek(): Buffer;
  clear(): void;
}

const firstBytes = 256 * 1024;

export function createPartBuffer(partBytes: number): PartBuffer {
  let memory = Buffer.alloc(0);
  let bytes = 0;
  return {
    get bytes() {
      return bytes;
    },
    get isFull() {
      return bytes === partBytes;
    },
    add(piece) {
      const taken = Math.min(piece.length, partBytes - bytes);
      if (bytes + taken > memory.length) {
        // Most of what comes is short.
        const wanted = Math.max(bytes + taken, 2 * memory.length, firstBytes);
        const larger = Buffer.allocUnsafeSlow(Math.min(wanted, partBytes));
        memory.copy(larger, 0, 0, bytes);
        memory = larger;
      }
      memory.set(piece.subarray(0, taken), bytes);
      bytes += taken;
      return taken;
    },
    peek: () => memory.subarray(0, bytes),
    clear() {
      bytes = 0;
    },
  };
}
