/**
 * Browsers write a recording's head before they know how long it will be, and players then show no length and a slider that
 * does nothing. WebM (https://www.webmproject.org/docs/container/) has a place for it: Segment → Info → Duration.
 */
const ids = { segment: 0x18538067, info: 0x1549a966, duration: 0x4489, timestampScale: 0x2ad7b1, header: 0x1a45dfa3 };
/** The head of what browsers write takes some 200 bytes. */
const headBytes = 4_096;
const defaultScaleNs = 1_000_000;

/** The same recording with its duration written in; as it is where there is no place for one, or one already. */
export async function withDuration(pieces: readonly Blob[], seconds: number): Promise<Blob[]> {
  const whole = new Blob([...pieces]);
  const head = new Uint8Array(await whole.slice(0, headBytes).arrayBuffer());
  const longer = insertDuration(head, seconds);
  return longer === null ? [...pieces] : [new Blob([longer]), whole.slice(head.length)];
}

/** @param head the first bytes of a WebM file; @returns null where there is nothing to write */
export function insertDuration(head: Uint8Array<ArrayBuffer>, seconds: number): Uint8Array<ArrayBuffer> | null {
  const header = readElement(head, 0);
  if (header?.id !== ids.header) return null;
  const segment = readElement(head, header.end);
  // Where the segment's own size is known it would have to change as well.
  if (segment?.id !== ids.segment || Number.isFinite(segment.end)) return null;
  let info = readElement(head, segment.start);
  while (info !== null && info.id !== ids.info) info = readElement(head, info.end);
  if (info === null || info.end > head.length) return null;
  let scaleNs = defaultScaleNs;
  for (let at = info.start; at < info.end; ) {
    const child = readElement(head, at);
    if (child === null || child.id === ids.duration) return null;
    if (child.id === ids.timestampScale)
      scaleNs = head.slice(child.start, child.end).reduce((sum, b) => sum * 256 + b, 0);
    at = child.end;
  }
  const duration = new Uint8Array(11);
  duration.set([0x44, 0x89, 0x88]);
  new DataView(duration.buffer).setFloat64(3, (seconds * 1e9) / scaleNs);
  const size = new Uint8Array(8);
  new DataView(size.buffer).setUint32(4, info.end - info.start + duration.length);
  size[0] = 0x01;
  const parts = [
    head.subarray(0, info.idEnd),
    size,
    duration,
    head.subarray(info.start, info.end),
    head.subarray(info.end),
  ];
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** An element of EBML (RFC 8794): `start` and `end` of its content, which has no known end while it is being written. */
function readElement(bytes: Uint8Array, at: number): { id: number; idEnd: number; start: number; end: number } | null {
  const id = readNumber(bytes, at);
  const size = id && readNumber(bytes, id.end);
  if (!id || !size) return null;
  const isUnknown = size.value === 2 ** (7 * (size.end - id.end)) - 1;
  const end = isUnknown ? Number.POSITIVE_INFINITY : size.end + size.value;
  return { id: id.value + 2 ** (7 * (id.end - at)), idEnd: id.end, start: size.end, end };
}

/** A number whose leading zeros say how many bytes it takes, without the bit that ends them. */
function readNumber(bytes: Uint8Array, at: number): { value: number; end: number } | null {
  const first = bytes[at];
  if (first === undefined || first === 0) return null;
  const length = Math.clz32(first) - 23;
  if (at + length > bytes.length) return null;
  let value = first & (0xff >> length);
  for (let i = 1; i < length; i++) value = value * 256 + (bytes[at + i] ?? 0);
  return { value, end: at + length };
}
