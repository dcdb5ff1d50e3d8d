/** Bytes that come in pieces of any size and go in parts of one size. */
export interface PartBuffer {
  readonly bytes: number;
  add(piece: Uint8Array): void;
  /** The next whole part, or null while there is none. It stays until it is dropped. */
  peekFull(): Buffer | null;
  /** All that is there. */
  peekAll(): Buffer;
  /** Forgets so many of the first bytes. */
  drop(bytes: number): void;
}

export function createPartBuffer(partBytes: number): PartBuffer {
  let pieces: Buffer[] = [];
  let bytes = 0;
  const joined = (): Buffer => {
    if (pieces.length !== 1) pieces = [Buffer.concat(pieces, bytes)];
    return pieces[0] as Buffer;
  };
  return {
    get bytes() {
      return bytes;
    },
    add(piece) {
      if (piece.length === 0) return;
      pieces.push(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
      bytes += piece.length;
    },
    peekFull: () => (bytes >= partBytes ? joined().subarray(0, partBytes) : null),
    peekAll: joined,
    drop(count) {
      pieces = [joined().subarray(count)];
      bytes -= count;
    },
  };
}
