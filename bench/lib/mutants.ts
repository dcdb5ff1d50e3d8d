import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';
import { AppError } from '@studymate/contracts/errors';
import { decodedSampleRate, decodeToSamples } from '@studymate/media/decode';
import { decodeClip } from '@studymate/media/decode-clip';
import { detectIsolation, type Isolation } from '@studymate/media/isolation';
import { probeMedia } from '@studymate/media/probe';
import { createRandom, mutations } from './mutate.ts';

const run = promisify(execFile);
const maxSeconds = 8 * 3600;
const maxClipSeconds = 60;

/** One recording of each container: a little longer than what ffprobe looks at, so small that a thousand go quickly. */
const sound = ['-f', 'lavfi', '-i', 'anoisesrc=d=3:r=24000:a=0.3:seed=7'];
const pictures = ['-f', 'lavfi', '-i', 'testsrc=d=3:s=64x64:r=5'];
const cover = ['-f', 'lavfi', '-i', 'testsrc=s=64x64:d=1:r=1', '-map', '0', '-map', '1'];
const seedFiles: Record<string, string[]> = {
  'seed.wav': [...sound, '-ac', '2'],
  'seed.mp3': [...sound, ...cover, '-disposition:v', 'attached_pic'],
  'seed.m4a': [...sound, '-movflags', '+faststart'],
  'seed.mp4': [...pictures, ...sound, '-c:v', 'mpeg4', '-shortest'],
  'seed.webm': [...sound, '-c:a', 'libopus', '-f', 'webm'],
  'seed.ogg': [...sound, '-c:a', 'libvorbis'],
  'seed.flac': [...sound],
  'seed.aac': [...sound],
  'seed.mkv': [...pictures, ...sound, '-c:v', 'mpeg4', '-c:a', 'libopus'],
};

export interface MutantOutcome {
  /** For example "17 seed.mp3 chunkSizes+truncated": enough to make it again with the same seed. */
  name: string;
  container: string;
  /** `decoded`, `decoded, warned`, or the code of the refusal; anything else is a fault of ours. */
  lecture: string;
  clip: string;
  decodedSeconds: number;
  clipSeconds: number;
  wallMs: number;
}

export interface MutantReport {
  outcomes: MutantOutcome[];
  /** Processes that read one of the mutants and are still there. */
  processesLeft: string[];
  filesLeft: string[];
  maxRssGrowthMb: number;
}

/**
 * Makes broken recordings out of good ones and reads each as a lecture and as a clip, by the functions and under the
 * limits with which the worker does. The same seed makes the same files with the same ffmpeg.
 */
export async function runMutants(options: {
  seed: number;
  count: number;
  concurrency: number;
  onOutcome?: (outcome: MutantOutcome) => void;
}): Promise<MutantReport> {
  const folder = await mkdtemp(join(tmpdir(), 'studymate-mutants-'));
  try {
    const isolation = await detectIsolation();
    const seeds = new Map<string, Buffer>();
    for (const [name, args] of Object.entries(seedFiles)) {
      const path = join(folder, name);
      await run('ffmpeg', ['-v', 'error', '-nostdin', '-bitexact', ...args, '-bitexact', `file:${path}`]);
      seeds.set(name, await readFile(path));
      await unlink(path);
    }
    const outcomes: MutantOutcome[] = [];
    const rssBefore = process.memoryUsage.rss();
    let maxRss = rssBefore;
    let next = 0;
    const work = async () => {
      while (next < options.count) {
        const outcome = await tryMutant(folder, makeMutant(seeds, options.seed, next++), isolation);
        outcomes.push(outcome);
        maxRss = Math.max(maxRss, process.memoryUsage.rss());
        options.onOutcome?.(outcome);
      }
    };
    await Promise.all(Array.from({ length: options.concurrency }, work));
    const processesLeft = await findProcesses(folder);
    const filesLeft = await readdir(folder, { recursive: true });
    return {
      outcomes,
      processesLeft,
      filesLeft: filesLeft.filter((name) => name !== 'clips'),
      maxRssGrowthMb: Math.round((maxRss - rssBefore) / 2 ** 20),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Those that name the folder, and our own that read a clip, which has no name. Others may decode clips here, too. */
async function findProcesses(folder: string): Promise<string[]> {
  const { stdout } = await run('ps', ['-eo', 'pid=,ppid=,args='], { maxBuffer: 2 ** 24 });
  const processes = [...stdout.matchAll(/^ *(\d+) +(\d+) +(.*)$/gm)].map(([, pid = '', parent = '', args = '']) => ({
    ...{ pid, parent, args },
  }));
  const ours = new Set([String(process.pid)]);
  // A child may have a smaller number than its parent: until nothing is added.
  for (let before = 0; before < ours.size; ) {
    before = ours.size;
    for (const { pid, parent } of processes) if (ours.has(parent)) ours.add(pid);
  }
  return processes
    .filter(({ pid, args }) => args.includes(folder) || (ours.has(pid) && args.includes('pipe:0 -vn -sn')))
    .map(({ args }) => args);
}

interface Mutant {
  name: string;
  container: string;
  bytes: Buffer;
  ending: string;
}

function makeMutant(seeds: Map<string, Buffer>, seed: number, index: number): Mutant {
  const random = createRandom(seed * 100_003 + index);
  const names = [...seeds.keys()];
  const container = names[index % names.length] as string;
  let bytes = Buffer.from(seeds.get(container) as Buffer);
  const kinds = Object.keys(mutations);
  const applied: string[] = [];
  // Most break in one way, some in two; each way meets each container.
  for (let i = 0; i === 0 || (i === 1 && random(3) === 0); i++) {
    const kind = kinds[i === 0 ? Math.floor(index / names.length) % kinds.length : random(kinds.length)] as string;
    bytes = Buffer.from((mutations[kind] as (typeof mutations)[string])(bytes, random));
    applied.push(kind);
    if (bytes.length === 0) break;
  }
  // One in eight continues with another container's bytes, and any may be called anything.
  if (random(8) === 0) {
    const other = seeds.get(names[random(names.length)] as string) as Buffer;
    bytes = Buffer.concat([bytes.subarray(0, random(bytes.length + 1)), other.subarray(random(other.length))]);
    applied.push('spliced');
  }
  const ending = random(2) === 0 ? container.replace('seed', '') : ['.mp4', '.mp3', '.txt', '', '.m3u8'][random(5)];
  return {
    name: `${index} ${container} ${applied.join('+')}`,
    container: container.slice(5),
    bytes,
    ending: ending ?? '',
  };
}

async function tryMutant(folder: string, mutant: Mutant, isolation: Isolation): Promise<MutantOutcome> {
  const { bytes } = mutant;
  const startMs = performance.now();
  const filePath = join(folder, `mutant-${mutant.name.split(' ')[0]}${mutant.ending}`);
  const tempDir = join(folder, 'clips');
  await writeFile(filePath, bytes);
  const toCode = (thrown: unknown) => (thrown instanceof AppError ? thrown.code : `fault: ${String(thrown)}`);
  let decodedSamples = 0;
  let clipSeconds = 0;
  const readLecture = async (): Promise<string> => {
    const probe = await probeMedia({ ffprobePath: 'ffprobe', filePath, timeoutMs: 30_000, isolation });
    const limits = { maxSeconds, timeoutMs: 2 * 3_600_000, maxStallMs: 60_000 };
    const { samples, finished } = decodeToSamples({ ffmpegPath: 'ffmpeg', filePath, probe, isolation, ...limits });
    for await (const piece of samples) decodedSamples += piece.length;
    return (await finished).warnings.length > 0 ? 'decoded, warned' : 'decoded';
  };
  const readClip = async (): Promise<string> => {
    const limits = { maxSeconds: maxClipSeconds, timeoutMs: 20_000 };
    const clip = await decodeClip({ bytes, ffmpegPath: 'ffmpeg', tempDir, isolation, ...limits });
    clipSeconds = clip.durationSeconds;
    return 'decoded';
  };
  const lecture = await readLecture().catch(toCode);
  const clip = await readClip().catch(toCode);
  await unlink(filePath);
  return {
    ...{ name: mutant.name, container: mutant.container, lecture, clip },
    decodedSeconds: decodedSamples / decodedSampleRate,
    clipSeconds,
    wallMs: performance.now() - startMs,
  };
}

/** What a mutant may end in; `internal`, `timeout` and everything without a code are faults. */
export const mutantOutcomes = [
  ...['decoded', 'decoded, warned', 'not_media', 'unsupported_media', 'no_audio', 'media_damaged', 'file_empty'],
  ...['media_too_long', 'decoder_crashed'],
];

/** The outcomes that are faults of ours, with what makes them again. */
export function findFaults(outcomes: readonly MutantOutcome[], maxWallMs: number): MutantOutcome[] {
  return outcomes.filter(
    ({ lecture, clip, decodedSeconds, clipSeconds, wallMs }) =>
      !mutantOutcomes.includes(lecture) ||
      !mutantOutcomes.includes(clip) ||
      decodedSeconds > maxSeconds ||
      clipSeconds > maxClipSeconds + 0.2 ||
      wallMs > maxWallMs,
  );
}
