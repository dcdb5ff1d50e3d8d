import { setTimeout as sleep } from 'node:timers/promises';
import type { ModelFamily, ModelReport } from '@studymate/contracts/models';
import { excerpt, makeRecording, samplePath, toUnlike } from '../e2e/support/recordings.ts';
import { type RunningSystem, rootDir, startSystem } from '../e2e/support/running-system.ts';
import { decodeRecording } from './lib/decode-recording.ts';
import { readProcessTree, treeMegabytes } from './lib/process-tree.ts';
import { createSpeechProcess } from './lib/speech-process.ts';
import { median, quantile, round } from './lib/statistics.ts';

export const about =
  'models: seconds of a load, memory before, loaded and after, clips beside a lecture, cancel until idle [rounds [copies]]';

const seconds = (fromMs: number) => (performance.now() - fromMs) / 1000;
const summary = (values: readonly number[]) => ({
  p50: round(median(values)),
  p95: round(quantile(values, 0.95)),
  most: round(Math.max(...values)),
  count: values.length,
});

/** What the worker itself says of its models, without the way through Redis. */
async function readReports(system: RunningSystem): Promise<ModelReport[]> {
  const response = await fetch(`${system.workerUrl}/health/ready`);
  return ((await response.json()) as { models: ModelReport[] }).models;
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(5);
}

/** Loads a family by a warm-up and lets it be unloaded again. */
async function loadAndUnload(system: RunningSystem, family: ModelFamily) {
  const stateOf = async () => (await readReports(system)).find((report) => report.family === family);
  const pid = system.worker().pid as number;
  const before = await treeMegabytes(pid);
  await system.client.warmup([family]);
  await until(async () => (await stateOf())?.state === 'ready');
  const loadSeconds = (await stateOf())?.lastLoadSeconds ?? Number.NaN;
  const loaded = await treeMegabytes(pid);
  await until(async () => (await stateOf())?.state === 'unloaded' && (await readProcessTree(pid)).length === 1);
  return { loadSeconds, before, loaded, after: await treeMegabytes(pid) };
}

async function measureLoads(rounds: number) {
  const system = await startSystem({ MODEL_TTL_SECONDS: '1' });
  try {
    const result: Record<string, unknown> = {};
    for (const family of ['speech', 'text'] as const) {
      const loads: Awaited<ReturnType<typeof loadAndUnload>>[] = [];
      for (let i = 0; i < rounds; i++) loads.push(await loadAndUnload(system, family));
      const [first] = loads;
      result[family] = {
        loadSecondsFirst: round(first?.loadSeconds ?? Number.NaN),
        loadSecondsMedian: round(median(loads.map((load) => load.loadSeconds))),
        treeMegabytesBefore: first?.before,
        treeMegabytesLoaded: median(loads.map((load) => load.loaded)),
        treeMegabytesAfter: median(loads.map((load) => load.after)),
        rounds,
      };
    }
    return result;
  } finally {
    await system.close();
  }
}

/** Clips one after the other while a lecture is transcribed, and as many with nothing beside them. */
async function measureClips(system: RunningSystem, lecture: File) {
  const clip = await excerpt('clip.wav', 19, 5, ['-ac', '1', '-ar', '16000']);
  const time = async () => {
    const startMs = performance.now();
    await system.client.transcribe(clip, { language: 'en', fresh: true });
    return seconds(startMs);
  };
  await time();
  const { id } = await system.client.uploadLecture(lecture);
  const events = system.client.followLecture(id);
  let isTranscribed = false;
  const following = (async () => {
    for await (const event of events) {
      if (event.type === 'stage' && event.stage.name === 'assemble' && event.stage.status !== 'waiting') break;
    }
    isTranscribed = true;
  })();
  const beside: number[] = [];
  while (!isTranscribed) {
    beside.push(await time());
    // Somebody who asks now and then; without a pause the clips would keep the lecture from going on.
    await sleep(500);
  }
  await following;
  const { durationSeconds } = await system.client.getLecture(id);
  await until(async () => (await readReports(system)).every((report) => report.openWork === 0));
  const alone: number[] = [];
  for (let i = 0; i < 20; i++) alone.push(await time());
  return { besideLecture: summary(beside), alone: summary(alone), lectureSeconds: round(durationSeconds ?? 0, 0) };
}

/**
 * A clip beside windows that follow each other without a gap, done in the middle of one and, in turns with that, after
 * it: the seconds that interrupting saves, whatever else the machine does.
 */
async function measureInterrupting(rounds: number) {
  const sound = (await decodeRecording(samplePath)).subarray(0, 60 * 16_000);
  const family = createSpeechProcess(rootDir, 2);
  try {
    const lease = await family.acquire();
    const transcribe = (from: number, to: number, priority: number, interrupts: boolean) => {
      const payload = { windows: [sound.slice(from * 16_000, to * 16_000)], language: 'en', wordTimes: true };
      return lease.run('transcribe-windows', payload, { priority, interrupts, timeoutMs: 60_000 });
    };
    let isOver = false;
    const lecture = (async () => {
      while (!isOver) await transcribe(0, 28, 3, false);
    })();
    const inTheMiddle: number[] = [];
    const afterwards: number[] = [];
    for (let i = 0; i < 2 * rounds; i++) {
      // At any moment of a window.
      await sleep(400 + ((i * 377) % 900));
      const startMs = performance.now();
      await transcribe(30, 35, 0, i % 2 === 0);
      (i % 2 === 0 ? inTheMiddle : afterwards).push(seconds(startMs));
    }
    isOver = true;
    await lecture;
    return {
      inTheMiddleSeconds: summary(inTheMiddle),
      afterTheWindowSeconds: summary(afterwards),
      ratioOfMedians: round(median(inTheMiddle) / median(afterwards), 2),
    };
  } finally {
    await family.close();
  }
}

/** From asking for the end of a lecture that is being transcribed until the model process has nothing left to do. */
async function measureCancel(system: RunningSystem, lecture: File, rounds: number) {
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) {
    // Not a recording that has been transcribed before: that would be taken over at once.
    const { id } = await system.client.uploadLecture(toUnlike(lecture, i + 1), { fileName: lecture.name });
    for await (const event of system.client.followLecture(id)) {
      if (event.type === 'segments' && event.segments.length > 0) break;
    }
    // Not always at the same moment of a window.
    await sleep(200 * i);
    const startMs = performance.now();
    await system.client.cancelLecture(id);
    let idleSince = 0;
    await until(async () => {
      const isIdle = (await readReports(system)).every((report) => report.openWork === 0);
      if (!isIdle) idleSince = 0;
      else if (idleSince === 0) idleSince = performance.now();
      return isIdle && performance.now() - idleSince > 1_000;
    });
    times.push((idleSince - startMs) / 1000);
  }
  return summary(times);
}

export async function run(args: string[], note: (text: string) => void) {
  const rounds = Number(args[0] ?? 5);
  const copies = Number(args[1] ?? 6);
  note('loads');
  const loads = await measureLoads(rounds);
  note('clips in the middle of a window, and after it');
  const interrupting = await measureInterrupting(Math.max(10, rounds));
  const lecture = await makeRecording('long.mp3', [
    ...['-stream_loop', String(copies - 1), '-i', samplePath, '-c', 'copy'],
  ]);
  const system = await startSystem();
  try {
    note('clips beside a lecture');
    const clipSeconds = await measureClips(system, lecture);
    note('cancelling');
    const cancelUntilIdleSeconds = await measureCancel(system, lecture, rounds);
    return { loads, interrupting, clipSeconds, cancelUntilIdleSeconds };
  } finally {
    await system.close();
  }
}
