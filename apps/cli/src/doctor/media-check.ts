import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Config } from '@studymate/config/config';
import { decodeToSamples } from '@studymate/media/decode';
import { detectIsolation } from '@studymate/media/isolation';
import { probeMedia } from '@studymate/media/probe';
import type { Finding } from './check.ts';

const run = promisify(execFile);
const timeoutMs = 20_000;
/** One of each line is needed for what people record with. */
const neededDecoders = [['aac'], ['mp3', 'mp3float'], ['opus', 'libopus'], ['vorbis', 'libvorbis'], ['flac'], ['alac']];
const sampleRate = 16_000;
const sampleCount = 8_000;

/** That ffmpeg and ffprobe are there, know the usual recordings, and decode, in the way in which the worker calls them. */
export async function checkMedia(config: Config['media']): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [name, setting, program] of [
    ['ffmpeg', 'FFMPEG_PATH', config.ffmpegPath],
    ['ffprobe', 'FFPROBE_PATH', config.ffprobePath],
  ] as const) {
    try {
      const { stdout } = await run(program, ['-version'], { timeout: timeoutMs });
      findings.push({ name, state: 'ok', message: stdout.split('\n', 1)[0]?.replace(/ Copyright.*$/, '') ?? '' });
    } catch (error) {
      const reason =
        error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'is not there' : 'does not run';
      findings.push({
        name,
        state: 'failure',
        message: `${program} ${reason}`,
        fix: `install ffmpeg, or set ${setting} to where it is`,
      });
    }
  }
  if (findings.some(({ state }) => state === 'failure')) return findings;
  findings.push(
    judgeDecoders((await run(config.ffmpegPath, ['-hide_banner', '-decoders'], { timeout: timeoutMs })).stdout),
  );
  findings.push(...(await decodeTone(config)));
  return findings;
}

/** @param list what `ffmpeg -decoders` prints */
export function judgeDecoders(list: string): Finding {
  const known = new Set(list.split('\n').flatMap((line) => /^ [A.]\S{5} (\S+) /.exec(line)?.[1] ?? []));
  const missing = neededDecoders
    .filter((names) => !names.some((decoder) => known.has(decoder)))
    .map(([first]) => first);
  if (missing.length === 0) return { name: 'ffmpeg', state: 'ok', message: 'has the decoders of the usual recordings' };
  return {
    name: 'ffmpeg',
    state: 'warning',
    message: `has no decoder for ${missing.join(', ')}`,
    fix: "install the system's full ffmpeg",
  };
}

async function decodeTone(config: Config['media']): Promise<Finding[]> {
  const dir = await mkdtemp(path.join(tmpdir(), 'studymate-doctor-'));
  try {
    const filePath = path.join(dir, 'tone.au');
    await writeFile(filePath, toAuFile());
    const isolation = await detectIsolation();
    const { ffmpegPath, ffprobePath } = config;
    const probe = await probeMedia({ ffprobePath, filePath, timeoutMs, isolation });
    const options = { ffmpegPath, filePath, probe, maxSeconds: 10, timeoutMs, maxStallMs: timeoutMs, isolation };
    let count = 0;
    for await (const samples of decodeToSamples(options).samples) count += samples.length;
    const findings: Finding[] = [];
    if (count === sampleCount) findings.push({ name: 'ffmpeg', state: 'ok', message: 'decodes' });
    else {
      const message = `gave ${count} samples of a recording that has ${sampleCount}`;
      findings.push({ name: 'ffmpeg', state: 'failure', message, fix: "install the system's own ffmpeg" });
    }
    if (!isolation.withoutNetwork || !isolation.memoryLimited) {
      findings.push({
        name: 'ffmpeg',
        state: 'warning',
        message:
          `runs ${isolation.withoutNetwork ? '' : 'with the network '}${isolation.memoryLimited ? '' : 'without a limit on memory'}`.trim(),
        fix: 'on Linux install util-linux (unshare, prlimit); in a container allow user namespaces',
      });
    }
    return findings;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Half a second of a tone as Sun audio, which is 24 bytes of head and then samples: 16 bit, 16 kHz, mono, big-endian. */
function toAuFile(): Buffer {
  const file = Buffer.alloc(24 + sampleCount * 2);
  file.write('.snd', 0, 'latin1');
  for (const [i, field] of [24, sampleCount * 2, 3, sampleRate, 1].entries()) file.writeUInt32BE(field, 4 + i * 4);
  for (let i = 0; i < sampleCount; i++) file.writeInt16BE(Math.round(8_000 * Math.sin(i / 6)), 24 + i * 2);
  return file;
}
