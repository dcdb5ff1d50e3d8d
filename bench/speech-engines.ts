import { openAsBlob } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Lease } from '@studymate/models/model-family';
import { countWordErrors, normaliseEnglish, wordErrorRate } from '@studymate/speech/error-rate';
import type { WindowTranscript } from '@studymate/speech/window-transcript';
import { toUnlike } from '../e2e/support/recordings.ts';
import { type RunningSystem, startSystem } from '../e2e/support/running-system.ts';
import { cutRecording } from './lib/cut-recording.ts';
import { decodeRecording } from './lib/decode-recording.ts';
import { type Peer, startFasterWhisper, startTransformers } from './lib/peers.ts';
import { createSpeechProcess } from './lib/speech-process.ts';
import { round, spread } from './lib/statistics.ts';

declare const BENCH_ROOT: string;

export const about =
  'StudyMate beside faster-whisper and transformers.js on one English recording, in turns [FILE [rounds [PART,PART of names]]]';

const threads = 2;
const language = 'en';
/** As many as go to the model process together in a lecture. */
const windowsAtOnce = 5;

/** Name, windows side by side (0: one after the other), beams. */
const fasterWhisperRuns: [string, number, number][] = [
  ['faster-whisper-batch8-beam1', 8, 1],
  ['faster-whisper-batch8-beam5', 8, 5],
  ['faster-whisper-beam1', 0, 1],
  ['faster-whisper-beam5', 0, 5],
];

interface Turn {
  seconds: number;
  text: string;
}

/** @param number of the round; a turn with the same number may be taken over from what is kept */
type Engine = (number: number) => Promise<Turn>;

/** From the acknowledgement of the upload to the transcript's artifact, word times on. */
async function transcribeLecture(system: RunningSystem, file: string, number: number): Promise<Turn> {
  const recording = toUnlike(await openAsBlob(file), number);
  const { id } = await system.client.uploadLecture(recording, { fileName: path.basename(file), language, fresh: true });
  const startMs = performance.now();
  let seconds = Number.NaN;
  for await (const event of system.client.followLecture(id)) {
    if (event.type === 'stage' && event.stage.name === 'assemble' && event.stage.status === 'done') {
      seconds = (performance.now() - startMs) / 1000;
    }
  }
  return { seconds, text: (await system.client.getTranscript(id)).text };
}

/** From samples to words with times: voice, windows, Whisper. */
async function transcribeInProcess(lease: Lease, samples: Int16Array): Promise<Turn> {
  const options = { priority: 1, timeoutMs: 600_000 };
  const startMs = performance.now();
  const chunks = await cutRecording(samples, async (sound) => {
    const { value } = await lease.run<{ probabilities: Float32Array }>(
      'vad',
      { samples: sound, leadSamples: 0 },
      options,
    );
    return value.probabilities;
  });
  const texts: string[] = [];
  for (const windows of chunks) {
    for (let from = 0; from < windows.length; from += windowsAtOnce) {
      const payload = { windows: windows.slice(from, from + windowsAtOnce), language, wordTimes: true };
      const { value } = await lease.run<WindowTranscript[]>('transcribe-windows', payload, options);
      texts.push(...value.map(({ text }) => text));
    }
  }
  return { seconds: (performance.now() - startMs) / 1000, text: texts.join(' ') };
}

interface Closers {
  push(closer: () => Promise<unknown>): void;
}

/** The engines by name. What cannot be started is left out, and why is noted. */
async function startEngines(file: string, only: string, closers: Closers, note: (text: string) => void) {
  const engines = new Map<string, Engine>();
  const parts = only.split(',');
  const wants = (name: string) => parts.some((part) => name.includes(part));
  const addPeer = (name: string, peer: Peer, batchSize: number, beamSize: number) => {
    const request = { file: path.resolve(file), language, wordTimes: true, batchSize, beamSize };
    if (wants(name)) engines.set(name, () => peer.transcribe(request));
  };
  const tryPeer = async (
    name: string,
    names: string[],
    start: (options: { rootDir: string; threads: number }) => Promise<Peer>,
  ) => {
    if (!names.some(wants)) return null;
    const peer = await start({ rootDir: BENCH_ROOT, threads }).catch((error: Error) => {
      note(`${name} is left out. ${error.message}`);
      return null;
    });
    if (peer) closers.push(() => peer.close());
    return peer;
  };

  if (wants('studymate-queue')) {
    const system = await startSystem({ MODEL_THREADS: String(threads), RATE_LIMIT: 'off' });
    closers.push(() => system.close());
    engines.set('studymate-queue', (number) => transcribeLecture(system, file, number));
  }
  if (wants('studymate-process')) {
    const family = createSpeechProcess(BENCH_ROOT, threads);
    closers.push(() => family.close());
    const lease = await family.acquire();
    const samples = await decodeRecording(file);
    engines.set('studymate-process', () => transcribeInProcess(lease, samples));
  }
  const fasterWhisper = await tryPeer(
    'faster-whisper',
    fasterWhisperRuns.map(([run]) => run),
    startFasterWhisper,
  );
  if (fasterWhisper) {
    for (const [run, batchSize, beamSize] of fasterWhisperRuns) addPeer(run, fasterWhisper, batchSize, beamSize);
  }
  const transformers = await tryPeer('transformers', ['transformers'], startTransformers);
  if (transformers) addPeer('transformers', transformers, 0, 1);
  return engines;
}

/**
 * Each engine once a round, in turns; one round more is warm-up and not counted. Reads the reference text beside the file
 * (its name with .txt), where there is one.
 */
export async function run(args: string[], note: (text: string) => void) {
  const [file = path.join(BENCH_ROOT, 'samples/history-of-printing.mp3'), rounds = '5', only = ''] = args;
  const durationSeconds = (await decodeRecording(file)).length / 16_000;
  const reference = await readFile(file.replace(/\.\w+$/, '.txt'), 'utf8').catch(() => null);
  const closers: (() => Promise<unknown>)[] = [];
  try {
    const engines = await startEngines(file, only, closers, note);
    const turns = new Map<string, Turn[]>();
    for (let number = 0; number <= Number(rounds); number++) {
      for (const [name, transcribe] of engines) {
        const turn = await transcribe(number);
        note(`${number} of ${rounds} ${name} ${round(turn.seconds, 2)} s`);
        if (number > 0) turns.set(name, [...(turns.get(name) ?? []), turn]);
      }
    }
    const medianOf = (name: string) => spread((turns.get(name) ?? []).map(({ seconds }) => seconds)).median;
    const figures = Object.fromEntries(
      [...turns].map(([name, taken]) => {
        const seconds = spread(taken.map((turn) => turn.seconds));
        const words = normaliseEnglish(taken.at(-1)?.text ?? '');
        const errors = reference === null ? null : wordErrorRate(countWordErrors(normaliseEnglish(reference), words));
        return [
          name,
          {
            seconds: seconds.median,
            least: seconds.min,
            greatest: seconds.max,
            realTimeFactor: round(seconds.median / durationSeconds, 4),
            timesStudymateQueue: round(seconds.median / medianOf('studymate-queue'), 2),
            wordErrorRate: errors === null ? null : round(errors, 4),
          },
        ];
      }),
    );
    return { durationSeconds: round(durationSeconds, 1), rounds: Number(rounds), threads, ...figures };
  } finally {
    for (const close of closers.reverse()) await close();
  }
}
