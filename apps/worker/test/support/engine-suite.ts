import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SpeechEngineName } from '@studymate/contracts/models';
import { createModelFamily, type Lease } from '@studymate/models/model-family';
import type { FromModelProcess } from '@studymate/models/protocol';
import { countWordErrors, normaliseEnglish, wordErrorRate } from '@studymate/speech/error-rate';
import type { WindowTranscript } from '@studymate/speech/window-transcript';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { forkWithUs } from '../../src/fork-with-us.ts';
import { priorities, runTranscribeWindows } from '../../src/model-ops.ts';
import type { WhisperNodePaths } from '../../src/whisper-node/paths.ts';
import { buildModelProcess } from './model-process-program.ts';

const rootDir = fileURLToPath(new URL('../../../../', import.meta.url));
export const bundledModel = (name: string) => path.join(rootDir, 'models', name);

/** What is said in the first 11.5 s of the sample. */
const spoken =
  'Printing, in the only sense with which we are at present concerned, differs from most if not from all the arts ' +
  'and crafts represented in the Exhibition in being comparatively modern.';

export interface EngineUnderTest {
  engine: SpeechEngineName;
  /** Called before the first test. */
  prepare(dir: string): Promise<{
    /** Absolute: the folder with intact weights. */
    model: string;
    whisperNode?: WhisperNodePaths;
  }>;
  /** Fills a folder with weights that lack their end. */
  damage(folder: string): Promise<void>;
  /** Most words wrong of those that are said. */
  maxWordErrorRate: number;
  /** Only what depends on the form of the weights: another suite holds the same engine to the rest. */
  onlyWords?: boolean;
  /** Without: a request for it is refused. */
  translates?: boolean;
}

/** What every engine is held to, each in a model process of its own as the worker starts it. */
export function describeEngine(title: string, underTest: EngineUnderTest): void {
  describe(title, () => {
    let dir: string;
    let program: string;
    let recording: Int16Array;
    let prepared: Awaited<ReturnType<EngineUnderTest['prepare']>>;
    /** For the tests that leave a process as it was. */
    let shared: ReturnType<typeof start>;

    beforeAll(async () => {
      ({ dir, program } = await buildModelProcess());
      const file = path.join(rootDir, 'samples/history-of-printing.mp3');
      const args = ['-v', 'error', '-i', file, '-t', '32', '-ar', '16000', '-ac', '1', '-f', 's16le', '-'];
      const { stdout } = spawnSync('ffmpeg', args, { maxBuffer: 64 * 1024 * 1024 });
      recording = new Int16Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.length));
      prepared = await underTest.prepare(dir);
      shared = start();
    }, 600_000);
    afterAll(async () => {
      await shared?.family.close();
      await rm(dir, { recursive: true });
    });

    const closers: (() => Promise<void>)[] = [];
    afterEach(async () => {
      for (const close of closers.splice(0)) await close();
    });

    function start(model = prepared.model, idleTtlMs: number | null = null) {
      const said: FromModelProcess[] = [];
      const listeners = new Set<() => void>();
      const pids: number[] = [];
      const family = createModelFamily({
        family: 'speech',
        verify: async () => {},
        spawn() {
          const { engine } = underTest;
          const modelDirs = { whisper: model, vad: bundledModel('silero-vad') };
          const options = { family: 'speech', modelDirs, threads: 2, engine, whisperNode: prepared.whisperNode };
          const child = forkWithUs(program, [JSON.stringify(options)], []);
          pids.push(child.pid as number);
          child.on('message', (message: FromModelProcess) => {
            if (message.type !== 'pong') said.push(message);
            for (const listener of listeners) listener();
          });
          return child;
        },
        idleTtlMs,
        keepWarm: false,
        loadTimeoutMs: 180_000,
        onChange: () => {
          for (const listener of listeners) listener();
        },
      });
      const until = (isSo: () => boolean) =>
        new Promise<void>((resolve) => {
          listeners.add(() => isSo() && resolve());
        });
      return { family, said, pids, until };
    }

    const seconds = (from: number, to: number) => recording.slice(from * 16_000, to * 16_000);
    const transcribe = async (
      lease: Lease,
      windows: Int16Array[],
      {
        language = null as string | null,
        wordTimes = true,
        translate = false,
        signal = undefined as AbortSignal | undefined,
      } = {},
    ) => {
      const payload = { windows, language, wordTimes, translate };
      return (await runTranscribeWindows(lease, payload, { priority: priorities.chunk, ...(signal && { signal }) }))
        .value;
    };
    const errorsOf = ({ text }: WindowTranscript) =>
      wordErrorRate(countWordErrors(normaliseEnglish(spoken), normaliseEnglish(text)));

    test('windows of speech: language, text and words in order within the sound; none of silence', async () => {
      const lease = await shared.family.acquire();
      const hum = Int16Array.from({ length: 48_000 }, (_, i) => 3000 * Math.sin(i * 0.02));
      const windows = [seconds(0, 11.5), new Int16Array(160_000), hum, new Int16Array(0), new Int16Array(800)];
      const [first, ...silent] = (await transcribe(lease, windows)) as [WindowTranscript, ...WindowTranscript[]];
      expect(errorsOf(first)).toBeLessThanOrEqual(underTest.maxWordErrorRate);
      expect(first.language).toBe('en');
      expect(first.languageProbability).toBeGreaterThan(0.9);
      expect(first.words.map(({ word }) => word).join(' ')).toBe(first.text);
      let previous = 0;
      for (const { start, end, probability } of first.words) {
        expect(start).toBeGreaterThanOrEqual(previous);
        expect(end).toBeGreaterThan(start);
        expect(probability).toBeGreaterThan(0);
        expect(probability).toBeLessThanOrEqual(1);
        previous = end;
      }
      expect(previous).toBeGreaterThan(9);
      expect(previous).toBeLessThanOrEqual(11.5);
      // "concerned," is said from 3.6 to 4.2 s.
      const concerned = first.words.find(({ word }) => word === 'concerned,');
      expect(Math.abs((concerned?.start ?? 0) - 3.6)).toBeLessThan(0.8);
      expect(first.tokens.length).toBeGreaterThan(first.words.length - 1);
      expect(first.averageLogProbability).toBeLessThan(0);
      expect(first.averageLogProbability).toBeGreaterThan(-0.8);
      expect(first.compressionRatio).toBeLessThan(2.4);
      expect(first.noSpeechProbability).toBeLessThan(0.6);
      expect(silent).toHaveLength(4);
      for (const each of silent) expect(each).toMatchObject({ text: '', words: [], tokens: [], compressionRatio: 0 });

      const [plain] = await transcribe(lease, [seconds(0, 11.5)], { language: 'en', wordTimes: false });
      expect(plain).toMatchObject({ language: 'en', text: first.text, words: [] });
      expect(await transcribe(lease, [])).toEqual([]);
    });

    if (underTest.onlyWords) return;

    test('cancelled in the middle of a window it stops there, and the next work is done', async () => {
      const { family, said, until } = shared;
      const lease = await family.acquire();
      said.length = 0;
      const controller = new AbortController();
      const started = until(() => said.some(({ type }) => type === 'started'));
      const cancelled = transcribe(lease, [seconds(0, 28), seconds(2, 30)], { signal: controller.signal });
      const next = transcribe(lease, [seconds(0, 11.5)]);
      await started;
      controller.abort();
      await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });
      expect(errorsOf((await next)[0] as WindowTranscript)).toBeLessThanOrEqual(underTest.maxWordErrorRate);
      expect(said).toMatchObject([
        { type: 'started' },
        { type: 'failed', error: { code: 'cancelled' } },
        { type: 'started' },
        { type: 'done' },
      ]);
    });

    test('weights that are missing or damaged are told apart, and never loaded again and again', async () => {
      const empty = await mkdtemp(path.join(dir, 'empty-'));
      const without = start(empty).family;
      closers.push(() => without.close());
      await expect(without.acquire()).rejects.toMatchObject({ code: 'model_missing', retryable: false });
      const damaged = await mkdtemp(path.join(dir, 'damaged-'));
      await underTest.damage(damaged);
      const { family } = start(damaged);
      closers.push(() => family.close());
      await expect(family.acquire()).rejects.toMatchObject({ code: 'model_damaged', retryable: false });
      expect(family.report()).toMatchObject({ state: 'failed', failureCode: 'model_damaged', memoryBytes: null });
    });

    test('what is not asked for properly is refused with a code', async () => {
      const lease = await shared.family.acquire();
      const tooLong = new Int16Array(480_001);
      await expect(transcribe(lease, [tooLong])).rejects.toMatchObject({ code: 'invalid_request' });
      await expect(transcribe(lease, [], { language: 'klingon' })).rejects.toMatchObject({ code: 'unknown_language' });
      // Of Whisper's models only the newest know Cantonese.
      await expect(transcribe(lease, [], { language: 'yue' })).rejects.toMatchObject({ code: 'unknown_language' });
      if (underTest.translates) return;
      await expect(transcribe(lease, [], { translate: true })).rejects.toMatchObject({ code: 'invalid_request' });
    });

    test.runIf(existsSync('/proc/self'))(
      'unused for its time to live the process is gone, and all memory with it',
      async () => {
        const { family, pids, until } = start(prepared.model, 1);
        closers.push(() => family.close());
        const lease = await family.acquire();
        const unloaded = until(() => family.report().state === 'unloaded');
        expect(family.report().memoryBytes).toBeGreaterThan(30_000_000);
        lease.release();
        await unloaded;
        expect(family.report()).toMatchObject({ state: 'unloaded', memoryBytes: null });
        await expect.poll(() => existsSync(`/proc/${pids[0]}`)).toBe(false);
      },
    );
  });
}
