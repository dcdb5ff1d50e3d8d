/** Ways in which a recording goes bad: transfers, disks, broken recorders, and people who mean harm. */
export type Mutation = (bytes: Buffer, random: Random) => Buffer;

/** Whole numbers from 0 to below `below`. */
export type Random = (below: number) => number;

/** The same numbers for the same seed everywhere. Source: mulberry32, T. Ettinger, public domain. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** Numbers at which sizes, counts and rates go wrong. */
const edgeNumbers = [
  0, 1, 2, 3, 7, 8, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 10_000_000, 0x7fffffff, 0x80000000, 0xfffffffe,
  0xffffffff,
];

const stretch = (bytes: Buffer, random: Random): [from: number, to: number] => {
  const from = random(bytes.length);
  return [from, Math.min(bytes.length, from + 1 + random(Math.max(1, bytes.length >> 3)))];
};

/** Writes an edge number of 1, 2, 4 or 8 bytes in either order. */
function writeEdge(bytes: Buffer, at: number, random: Random): void {
  const size = [1, 2, 4, 8][random(4)] as number;
  const value = edgeNumbers[random(edgeNumbers.length)] as number;
  const big = random(2) === 0;
  for (let i = 0; i < size && at + i < bytes.length; i++) {
    const shift = big ? size - 1 - i : i;
    bytes[at + i] = shift > 3 ? (value === 0xffffffff ? 0xff : 0) : (value >>> (8 * shift)) & 0xff;
  }
}

/** Where the names of chunks, atoms, elements and pages stand, after which (or before, in MP4) come sizes and counts. */
const markers = [
  ...['RIFF', 'WAVE', 'fmt ', 'data', 'LIST', 'fact'],
  ...[
    'ftyp',
    'moov',
    'mvhd',
    'trak',
    'tkhd',
    'mdia',
    'mdhd',
    'hdlr',
    'minf',
    'stbl',
    'stsd',
    'stts',
    'stsc',
    'stsz',
    'stco',
    'co64',
  ],
  ...['mp4a', 'esds', 'elst', 'mdat', 'udta', 'moof', 'traf', 'tfhd', 'trun', 'avc1'],
  ...['OggS', 'OpusHead', 'OpusTags', 'vorbis', 'fLaC', 'ID3', 'Xing', 'Info', 'APIC', 'LAME'],
  // EBML, segment, information, tracks, cluster, audio, sampling rate, block group.
  ...[
    '\x1a\x45\xdf\xa3',
    '\x18\x53\x80\x67',
    '\x15\x49\xa9\x66',
    '\x16\x54\xae\x6b',
    '\x1f\x43\xb6\x75',
    '\x44\x89',
    '\xb5',
    '\xa3',
  ],
].map((name) => Buffer.from(name, 'latin1'));

function findMarkers(bytes: Buffer): number[] {
  const found: number[] = [];
  for (const marker of markers) {
    for (let at = bytes.indexOf(marker), n = 0; at !== -1 && n < 8; at = bytes.indexOf(marker, at + 1), n++)
      found.push(at);
  }
  return found;
}

export const mutations: Record<string, Mutation> = {
  bitFlips(bytes, random) {
    for (let i = 1 + random(64); i > 0; i--) {
      const at = random(bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
    }
    return bytes;
  },
  headBytes(bytes, random) {
    for (let i = 1 + random(20); i > 0; i--) bytes[random(Math.min(400, bytes.length))] = random(256);
    return bytes;
  },
  truncated: (bytes, random) => bytes.subarray(0, random(bytes.length)),
  beheaded: (bytes, random) => bytes.subarray(random(bytes.length >> 1)),
  repeated(bytes, random) {
    const [from, to] = stretch(bytes, random);
    return Buffer.concat([
      bytes.subarray(0, to),
      ...Array(1 + random(8)).fill(bytes.subarray(from, to)),
      bytes.subarray(to),
    ]);
  },
  zeroed(bytes, random) {
    const [from, to] = stretch(bytes, random);
    return bytes.fill(0, from, to);
  },
  noise(bytes, random) {
    const [from, to] = stretch(bytes, random);
    for (let at = from; at < to; at++) bytes[at] = random(256);
    return bytes;
  },
  cutOut(bytes, random) {
    const [from, to] = stretch(bytes, random);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  swapped(bytes, random) {
    const size = 1 + random(Math.max(1, bytes.length >> 3));
    const [a, b] = [random(bytes.length - size), random(bytes.length - size)];
    const first = Buffer.from(bytes.subarray(a, a + size));
    bytes.copyWithin(a, b, b + size);
    first.copy(bytes, b);
    return bytes;
  },
  /** Durations, channels, rates, sizes: an edge number close to the name of what it belongs to. */
  headerFields(bytes, random) {
    const found = findMarkers(bytes);
    for (let i = 1 + random(3); i > 0; i--) {
      const at = found.length > 0 ? (found[random(found.length)] as number) : random(bytes.length);
      writeEdge(bytes, Math.max(0, at - 8 + random(64)), random);
    }
    return bytes;
  },
  /** The size of a chunk or an atom: right after or right before its name. */
  chunkSizes(bytes, random) {
    const found = findMarkers(bytes);
    const at = found.length > 0 ? (found[random(found.length)] as number) : 0;
    const place = Math.max(0, random(2) === 0 ? at + 4 : at - 4);
    if (place + 4 <= bytes.length) {
      const value = random(3) === 0 ? random(bytes.length * 2) : (edgeNumbers[random(edgeNumbers.length)] as number);
      if (random(2) === 0) bytes.writeUInt32LE(value, place);
      else bytes.writeUInt32BE(value, place);
    }
    return bytes;
  },
};
