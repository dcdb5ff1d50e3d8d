import { type FileHandle, open } from 'node:fs/promises';
import type { LectureWarning } from '@studymate/contracts/warnings';
import type { DecodeReport } from './decode-report.ts';
import type { MediaProbe } from './probe.ts';
import { parseWav } from './wav.ts';

/**
 * Less than this may be missing from what is declared. Opus may declare 65,535 samples (1.37 s) that are not to be
 * heard (RFC 7845, pre-skip), encoders pad, and containers round.
 */
const toleratedMissingSeconds = 1.5;
const toleratedMissingShare = 0.001;
/** The pictures of a video may go on after its sound, where the sound's own length is not declared. */
const toleratedMissingShareWithVideo = 0.02;
/** Less than this may be damaged inside: recordings of broadcasts begin and end in mid-packet. */
const toleratedDamagedSeconds = 0.5;
/** No codec stays below: Opus says silence in some 50 bit/s, its Ogg pages included, and FLAC in 100. */
const minBitsPerSecond = 40;
/** A day of fragments of a second. */
const maxBoxes = 200_000;
/** What opusenc and ffmpeg put into a page. A lost one leaves a gap, but not at the very beginning or end. */
const oggPageSeconds = 1;
const headBytes = 64 * 1024;
/** An Ogg page has at most 65,307 bytes (RFC 3533), so the last one begins within these. */
const tailBytes = 128 * 1024;

/**
 * How long a recording says it is, unless that cannot be: a small file that declares a hundred hours lies, and what it
 * really holds will be found out.
 * @returns seconds; null when nothing is declared that can be believed
 */
export function toBelievableSeconds(probe: MediaProbe, fileBytes: number): number | null {
  const { durationSeconds } = probe;
  if (durationSeconds === null || (fileBytes * 8) / durationSeconds < minBitsPerSecond) return null;
  return durationSeconds;
}

/** What a file's own structure tells of its length, beyond what ffprobe says. */
export interface FileEnds {
  /** By the header of a WAV file, which still says it when the file was cut. */
  declaredSeconds: number | null;
  /** An Ogg stream without the page that ends it, a fragmented MP4 whose fragments break off. */
  endIsMissing: boolean;
}

export async function readFileEnds(filePath: string, formatName: string): Promise<FileEnds> {
  const nothing = { declaredSeconds: null, endIsMissing: false };
  const isMp4 = formatName.startsWith('mov,');
  if (formatName !== 'wav' && formatName !== 'ogg' && !isMp4) return nothing;
  const file = await open(filePath);
  try {
    const { size } = await file.stat();
    if (isMp4) return { ...nothing, endIsMissing: await breaksOff(file, size) };
    if (formatName === 'ogg')
      return { ...nothing, endIsMissing: !endsOgg(await readAt(file, size - tailBytes, tailBytes)) };
    const wav = parseWav(await readAt(file, 0, headBytes));
    return { ...nothing, declaredSeconds: wav?.declaredFrames ? wav.declaredFrames / wav.sampleRate : null };
  } finally {
    await file.close();
  }
}

async function readAt(file: FileHandle, from: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await file.read(bytes, 0, length, Math.max(0, from));
  return bytes.subarray(0, bytesRead);
}

/** Whether a page with the flag "end of stream" begins in these bytes (RFC 3533: "OggS", version 0, flags). */
function endsOgg(tail: Buffer): boolean {
  for (let at = tail.indexOf('OggS'); at !== -1; at = tail.indexOf('OggS', at + 4)) {
    if (tail[at + 4] === 0 && ((tail[at + 5] ?? 0) & 4) !== 0) return true;
  }
  return false;
}

/**
 * Whether the boxes of a fragmented MP4 (ISO 14496-12) stop making sense before its end: ffmpeg then takes what came
 * before for the whole. Without fragments the index tells what should be there, and nothing is to be found here.
 */
async function breaksOff(file: FileHandle, size: number): Promise<boolean> {
  let isFragmented = false;
  let offset = 0;
  for (let boxes = 0; boxes < maxBoxes && offset + 8 <= size; boxes++) {
    const head = await readAt(file, offset, 16);
    const type = head.toString('latin1', 4, 8);
    if (!/^[\x20-\x7e\xa9]{4}$/.test(type)) return isFragmented;
    isFragmented ||= type === 'moof';
    const short = head.readUInt32BE(0);
    // 0: to the end of the file; 1: a long size follows.
    if (short === 0) return false;
    const length = short === 1 && head.length === 16 ? Number(head.readBigUInt64BE(8)) : short;
    if (length < 8) return isFragmented;
    offset += length;
  }
  return isFragmented && offset > size;
}

/**
 * What a user should know about how much of a recording could be read.
 *
 * `incomplete_media`: its end is missing. `damaged_media`: something inside is missing; where the file's clock allows,
 * silence stands there instead. Seconds are rounded to tenths; `declaredSeconds` is left out where nothing is declared.
 */
export function toWarnings(found: {
  probe: MediaProbe;
  decodedSeconds: number;
  /** ffmpeg ended with an error, or crashed. */
  brokeOff: boolean;
  report: DecodeReport;
  ends: FileEnds;
}): LectureWarning[] {
  const { decodedSeconds, report } = found;
  const declared = toDeclared(found.probe, found.ends);
  const isShort = declared !== null && declared.seconds - decodedSeconds > declared.toleratedSeconds;
  const damagedSeconds = Math.max(report.gapSeconds, report.failedSeconds, report.lostPages ? oggPageSeconds : 0);
  const warnings: LectureWarning[] = [];
  const seconds = {
    ...(declared && { declaredSeconds: tenths(declared.seconds) }),
    decodedSeconds: tenths(decodedSeconds),
  };
  if (isShort || found.brokeOff || found.ends.endIsMissing || report.corruptPackets > 0) {
    const of = declared === null ? '' : ` of ${Math.round(declared.seconds)} s`;
    const message = isShort
      ? `The recording is incomplete or damaged: ${Math.round(decodedSeconds)} s${of} could be read.`
      : `The recording ends in the middle of its sound: ${Math.round(decodedSeconds)} s could be read, how much is missing is not known.`;
    warnings.push({ code: 'incomplete_media', message, ...seconds });
  }
  if (damagedSeconds >= toleratedDamagedSeconds) {
    const message = `About ${Math.max(1, Math.round(damagedSeconds))} s inside the recording could not be read: it is damaged there, or nothing was recorded.`;
    warnings.push({ code: 'damaged_media', message, ...seconds, damagedSeconds: tenths(damagedSeconds) });
  }
  return warnings;
}

function toDeclared(probe: MediaProbe, ends: FileEnds): { seconds: number; toleratedSeconds: number } | null {
  const stream = probe.audioStreams[0];
  const own = ends.declaredSeconds ?? (stream?.durationSeconds ? stream.delaySeconds + stream.durationSeconds : null);
  // A WAV's header is no estimate, also where ffprobe had to make one.
  if (ends.declaredSeconds === null && probe.durationIsEstimate) return null;
  const seconds = own ?? probe.durationSeconds;
  if (seconds === null) return null;
  const share = own === null && probe.hasVideo ? toleratedMissingShareWithVideo : toleratedMissingShare;
  return { seconds, toleratedSeconds: Math.max(toleratedMissingSeconds, seconds * share) };
}

function tenths(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}
