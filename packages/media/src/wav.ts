/** Uncompressed sound of a WAV file, as it lies in it. */
export interface WavSound {
  sampleRate: number;
  channels: 1 | 2;
  /** Frames, as far as the file really has them. */
  frameCount: number;
  /** Frames by the header, also when the file was cut; null where it was written before the length was known. */
  declaredFrames: number | null;
  /** Interleaved, as 16-bit numbers; at most `maxFrames` frames. */
  read(maxFrames: number): Int16Array;
}

const pcmTag = 1;
const floatTag = 3;
const extensibleTag = 0xfffe;
/** The last 14 bytes of every sub-format GUID that stands for a plain format tag (KSDATAFORMAT_SUBTYPE_*). */
const guidTail = '000000001000800000aa00389b71';
/** What recorders and pipes write when they do not know the size yet: the greatest number, or nearly. */
const unknownSize = 0x7fffff00;
const maxChunks = 1000;
const minSampleRate = 4_000;
const maxSampleRate = 384_000;

/**
 * Reads a WAV header: PCM of 8, 16, 24 or 32 bits or floats, mono or stereo, plain or extensible. Sizes that lie
 * (0, 0xFFFFFFFF or beyond the end, as recorders and pipes write them) are cut to what is there.
 *
 * @returns null for everything else, also for what is damaged: ffmpeg may know what to do with it
 */
export function parseWav(bytes: Uint8Array): WavSound | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (offset: number) => String.fromCharCode(...bytes.subarray(offset, offset + 4));
  if (bytes.length < 12 || tag(0) !== 'RIFF' || tag(8) !== 'WAVE') return null;
  let format: Format | null = null;
  let offset = 12;
  for (let chunks = 0; chunks < maxChunks && offset + 8 <= bytes.length; chunks++) {
    const name = tag(offset);
    const size = view.getUint32(offset + 4, true);
    const start = offset + 8;
    if (name === 'data') {
      if (!format) return null;
      const there = bytes.length - start;
      // A recorder that was cut off, or a pipe, leaves 0 or the greatest number; then everything is sound.
      const length = size === 0 || size > there ? there : size;
      return toSound(view, start, { length, declared: size === 0 || size >= unknownSize ? null : size }, format);
    }
    if (name === 'fmt ') {
      format = start + Math.min(size, 16) <= bytes.length ? parseFormat(view, start, size) : null;
      if (!format) return null;
    }
    offset = start + size + (size % 2);
  }
  return null;
}

interface Format {
  isFloat: boolean;
  channels: 1 | 2;
  sampleRate: number;
  sampleBytes: number;
}

function parseFormat(view: DataView, start: number, size: number): Format | null {
  if (size < 16) return null;
  let tag = view.getUint16(start, true);
  const channels = view.getUint16(start + 2, true);
  const sampleRate = view.getUint32(start + 4, true);
  const frameBytes = view.getUint16(start + 12, true);
  const bits = view.getUint16(start + 14, true);
  if (tag === extensibleTag) {
    if (size < 40 || start + 40 > view.byteLength) return null;
    let tail = '';
    for (let i = 26; i < 40; i++)
      tail += view
        .getUint8(start + i)
        .toString(16)
        .padStart(2, '0');
    if (tail !== guidTail) return null;
    tag = view.getUint16(start + 24, true);
  }
  const known = (tag === pcmTag && [8, 16, 24, 32].includes(bits)) || (tag === floatTag && [32, 64].includes(bits));
  if (!known || (channels !== 1 && channels !== 2) || frameBytes !== (channels * bits) / 8) return null;
  if (sampleRate < minSampleRate || sampleRate > maxSampleRate) return null;
  return { isFloat: tag === floatTag, channels, sampleRate, sampleBytes: bits / 8 };
}

function toSound(
  view: DataView,
  start: number,
  bytes: { length: number; declared: number | null },
  format: Format,
): WavSound {
  const { channels, sampleRate, sampleBytes } = format;
  const frameBytes = channels * sampleBytes;
  const frameCount = Math.floor(bytes.length / frameBytes);
  const readSample = toReader(view, format);
  return {
    sampleRate,
    channels,
    frameCount,
    declaredFrames: bytes.declared === null ? null : Math.floor(bytes.declared / frameBytes),
    read(maxFrames) {
      const samples = new Int16Array(Math.min(frameCount, maxFrames) * channels);
      for (let i = 0; i < samples.length; i++) samples[i] = readSample(start + i * sampleBytes);
      return samples;
    },
  };
}

function toReader(view: DataView, { isFloat, sampleBytes }: Format): (offset: number) => number {
  if (isFloat) {
    const read = sampleBytes === 4 ? view.getFloat32.bind(view) : view.getFloat64.bind(view);
    return (offset) => fromFloat(read(offset, true));
  }
  switch (sampleBytes) {
    // Eight bits are unsigned, all others signed; of those the upper 16 bits are taken.
    case 1:
      return (offset) => (view.getUint8(offset) - 128) << 8;
    case 2:
      return (offset) => view.getInt16(offset, true);
    case 3:
      return (offset) => view.getInt16(offset + 1, true);
    default:
      return (offset) => view.getInt16(offset + 2, true);
  }
}

function fromFloat(value: number): number {
  if (Number.isNaN(value)) return 0;
  return Math.round(Math.max(-1, Math.min(1, value)) * 32_767);
}
