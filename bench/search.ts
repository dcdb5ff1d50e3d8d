import { readFile } from 'node:fs/promises';
import { createId } from '@studymate/contracts/ids';
import { toFirstVersion } from '@studymate/contracts/lecture-record';
import { embedResponseSchema } from '@studymate/contracts/search';
import { createQueues } from '@studymate/queue/queues';
import { createQuickCalls } from '@studymate/queue/quick';
import { createRedis } from '@studymate/queue/redis';
import { createArtifacts } from '@studymate/storage/artifacts';
import { createFileBlobStore } from '@studymate/storage/file-blob-store';
import { passagesKey, searchIndexKey, studyArtifactKey } from '@studymate/storage/lecture-keys';
import { createLectureStore } from '@studymate/storage/lecture-store';
import { makeSearchIndex } from '@studymate/study/search/make-search-index';
import type { TimedSentence } from '@studymate/study/sentences';
import { type RunningSystem, startSystem } from '../e2e/support/running-system.ts';
import { residentMegabytes } from './lib/process-tree.ts';
import { median, quantile, round } from './lib/statistics.ts';

export const about =
  'search over 1,000 made hours of lectures: cold, warm by words, meaning and both, memory [hours [searches]]';

const dimensions = 384;
const sentencesAnHour = 480;
/** Of 18 words that are said, ten are stop words and stand in no index. */
const wordsASentence = 8;
const vocabularySize = 60_000;
const writesAtOnce = 16;

/** Equal for equal seeds (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const syllables = 'ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu bra cle dri flo gru sta tre vil'.split(
  ' ',
);
/** Made words; the higher the number, the rarer, as words are in texts (Zipf). */
function toWord(number: number): string {
  let word = '';
  for (let rest = number + syllables.length; rest > 0; rest = Math.floor(rest / syllables.length)) {
    word += syllables[rest % syllables.length];
  }
  return word;
}
const pickWord = (random: () => number) => toWord(Math.floor(vocabularySize ** random()) - 1);

function makeHour(random: () => number): { sentences: TimedSentence[]; vectors: Float32Array } {
  const seconds = 3600 / sentencesAnHour;
  const sentences = Array.from({ length: sentencesAnHour }, (_, i): TimedSentence => {
    const text = `${Array.from({ length: wordsASentence }, () => pickWord(random)).join(' ')}.`;
    const start = i * seconds;
    return { text, start, end: start + seconds - 0.4, pauseBefore: 0.4, confidence: 0.9, flagged: false };
  });
  const vectors = Float32Array.from(
    { length: sentencesAnHour * dimensions },
    () => random() + random() + random() - 1.5,
  );
  for (let row = 0; row < sentencesAnHour; row++) {
    const own = vectors.subarray(row * dimensions, (row + 1) * dimensions);
    const norm = Math.hypot(...own);
    own.forEach((value, d) => {
      own[d] = value / norm;
    });
  }
  return { sentences, vectors };
}

/** Fills the store with lectures of an hour each, as a worker leaves them. @returns how many passages they have */
async function fillStore(
  dataDir: string,
  hours: number,
  weights: string,
  note: (text: string) => void,
): Promise<number> {
  const blobs = await createFileBlobStore({ rootDir: dataDir });
  const artifacts = createArtifacts({ blobs });
  const lectures = createLectureStore({ blobs });
  const random = createRandom(1);
  let count = 0;
  const write = async (hour: number): Promise<void> => {
    const id = createId();
    const { sentences, vectors } = makeHour(random);
    const chapters = Array.from({ length: 6 }, (_, i) => {
      const [start, end] = [sentences[i * 80]?.start ?? 0, (i + 1) * 600];
      return { start, end, title: `Chapter ${i}`, level: 'general' as const };
    });
    const embeddings = { dimensions, vectors };
    const { passages, index } = makeSearchIndex({ sentences, embeddings, chapters, language: 'en', weights });
    count += passages.length;
    const key = studyArtifactKey(id, 'chapters', 1);
    await artifacts.createArtifact(key, { schemaVersion: 1, content: chapters });
    await artifacts.createArtifact(passagesKey(id, 1), { schemaVersion: 1, content: { inputHash: 'made', passages } });
    await artifacts.createBytes(searchIndexKey(id, 1), index);
    const at = new Date(0).toISOString();
    const pin = { key, schemaVersion: 1, algorithm: 'made@1', attempt: 1, startedAt: at, seconds: 0, cold: null };
    const record = toFirstVersion({
      id,
      owner: 'local',
      title: `Hour ${hour}`,
      requestedLanguage: 'en',
      media: { key: `media/${id}`, fileName: 'a.mp3', contentType: 'audio/mpeg', bytes: 1, sha256: id },
      createdAt: at,
      durationSeconds: 3600,
      detectedLanguage: 'en',
      artifacts: { ingest: pin, transcribe: pin, assemble: pin, chapters: pin },
      skipped: { topics: 'not_asked', summary: 'not_asked', flashcards: 'not_asked' },
    });
    await lectures.create(record);
  };
  for (let hour = 0; hour < hours; hour += writesAtOnce) {
    await Promise.all(Array.from({ length: Math.min(writesAtOnce, hours - hour) }, (_, i) => write(hour + i)));
    if (hour % 160 === 0) note(`${hour} of ${hours} hours made`);
  }
  await blobs.close();
  return count;
}

/** Processor time of a process so far (Linux, in ticks of 10 ms): what a search costs, however busy the machine is. */
async function readCpuMs(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** By which the worker's vectors are known; it also loads the model. */
async function readWeights(system: RunningSystem): Promise<string> {
  const connect = () => createRedis({ url: system.redisUrl, kind: 'consumer', onError: () => {} });
  const [redis, eventsConnection] = [connect(), connect()];
  const queues = createQueues({ redis, prefix: '{sm}' });
  const hasWorker = async () => true;
  const quick = createQuickCalls({ queues, eventsConnection, prefix: '{sm}', hasWorker });
  try {
    const answer = await quick.call({ kind: 'embed', request: { texts: ['warm'] } }, { timeoutMs: 60_000 });
    return embedResponseSchema.parse(answer).weights;
  } finally {
    await quick.close();
    await queues.close();
    redis.disconnect();
    eventsConnection.disconnect();
  }
}

export async function run(args: string[], note: (text: string) => void) {
  const hours = Number(args[0] ?? 1_000);
  const searches = Number(args[1] ?? 50);
  const system = await startSystem({ RATE_LIMIT: 'off', LOG_LEVEL: 'warn' });
  try {
    const passages = await fillStore(system.dataDir, hours, await readWeights(system), note);
    const random = createRandom(2);
    const api = system.api().pid ?? 0;
    const memory = { before: await residentMegabytes(api), loaded: 0, after: 0 };
    const search = async (mode: string) => {
      const q = Array.from({ length: 3 }, () => pickWord(random)).join(' ');
      const startMs = performance.now();
      const response = await fetch(`${system.baseUrl}/api/v1/search?${new URLSearchParams({ q, mode })}`);
      const found = (await response.json()) as { mode: string; lectures: { searched: number } };
      if (!response.ok || found.mode !== mode)
        throw new Error(`${response.status}: ${JSON.stringify(found).slice(0, 200)}`);
      return { ms: performance.now() - startMs, searched: found.lectures.searched };
    };
    const coldMs: number[] = [];
    let all = performance.now();
    for (;;) {
      const { ms, searched } = await search('keyword');
      coldMs.push(ms);
      if (searched === hours) break;
    }
    all = performance.now() - all;
    memory.loaded = await residentMegabytes(api);
    const figures: Record<string, unknown> = {};
    for (const mode of ['keyword', 'semantic', 'hybrid']) {
      await search(mode);
      const times: number[] = [];
      let healthMs = 0;
      const cpuBeforeMs = await readCpuMs(api);
      for (let i = 0; i < searches; i++) {
        const running = search(mode);
        const startMs = performance.now();
        await (await fetch(`${system.baseUrl}/health/fast`)).arrayBuffer();
        healthMs = Math.max(healthMs, performance.now() - startMs);
        times.push((await running).ms);
      }
      const cpuMs = (await readCpuMs(api)) - cpuBeforeMs;
      const [p50, p95] = [median(times), quantile(times, 0.95)];
      figures[mode] = {
        msMedian: round(p50, 1),
        msP95: round(p95, 1),
        cpuMsEach: round(cpuMs / searches, 1),
        healthBesideItMsMost: round(healthMs, 1),
      };
      note(`${mode}: ${round(p50, 1)} ms`);
    }
    memory.after = await residentMegabytes(api);
    return {
      hours,
      passages,
      firstSearchMs: round(coldMs[0] ?? 0, 0),
      allLoadedMs: round(all, 0),
      ...figures,
      apiMegabytes: memory,
    };
  } finally {
    await system.close();
  }
}
