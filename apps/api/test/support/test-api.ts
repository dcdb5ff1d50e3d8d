import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createClient, type StudyMateClient } from '@studymate/client/client';
import { type Config, parseConfig } from '@studymate/config/config';
import { createId } from '@studymate/contracts/ids';
import { createLogger } from '@studymate/observability/logger';
import { createMetrics, type Metrics } from '@studymate/observability/metrics';
import { noTracer } from '@studymate/observability/tracer';
import { createEventPublisher, type EventPublisher } from '@studymate/queue/events';
import { createKeys, type Keys } from '@studymate/queue/keys';
import { createQueues, type Queues } from '@studymate/queue/queues';
import { createRedis } from '@studymate/queue/redis';
import { type Artifacts, createArtifacts } from '@studymate/storage/artifacts';
import type { BlobStore } from '@studymate/storage/blob-store';
import { createFileBlobStore } from '@studymate/storage/file-blob-store';
import { createLectureStore, type LectureStore } from '@studymate/storage/lecture-store';
import type { Redis } from 'ioredis';
import { type Api, createApi } from '../../src/create-api.ts';
import { createFront } from '../../src/front.ts';
import { checkedFetch } from './checked-fetch.ts';

/**
 * The API in this process on a free port with a store of its own, and what a worker would hold beside it. Its clients hold
 * each answer against the API's description.
 */
export interface TestApi {
  url: string;
  port: number;
  client: StudyMateClient;
  /** A client with a key, where the API runs with AUTH=keys. */
  clientFor(apiKey: string): StudyMateClient;
  api: Api;
  config: Config;
  blobs: BlobStore;
  artifacts: Artifacts;
  lectures: LectureStore;
  redis: Redis;
  keys: Keys;
  queues: Queues;
  publisher: EventPublisher;
  metrics: Metrics;
  /** Lines of the log, parsed. */
  log: Record<string, unknown>[];
  /** Names of all files in the data folder, also unfinished ones. */
  listFiles(): Promise<string[]>;
  close(): Promise<void>;
}

export async function startTestApi(options: { redisUrl: string; env?: Record<string, string> }): Promise<TestApi> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'studymate-api-'));
  const prefix = `{t${createId()}}`;
  const config = parseConfig(
    {
      PORT: '0',
      INTERNAL_PORT: '0',
      DATA_DIR: dataDir,
      REDIS_URL: options.redisUrl,
      QUEUE_PREFIX: prefix,
      ...options.env,
    },
    '/',
  );
  const log: Record<string, unknown>[] = [];
  const logger = createLogger({
    name: 'test',
    level: 'debug',
    destination: { write: (line) => log.push(JSON.parse(line)) },
  });
  const metrics = createMetrics({ app: 'api' });
  const api = await createApi({ config, logger, metrics, tracer: noTracer, webDir: null });
  const front = await createFront({ ...config.api, maxBodyBytes: config.limits.maxUploadBytes + 1024 * 1024 });
  front.open(api.handler);

  const blobs = await createFileBlobStore({ rootDir: dataDir });
  const redis = createRedis({ url: options.redisUrl, kind: 'consumer', onError: () => {} });
  const keys = createKeys(prefix);
  const queues = createQueues({ redis, prefix });
  const url = `http://127.0.0.1:${front.port}`;
  return {
    url,
    port: front.port,
    client: createClient({ baseUrl: url, fetch: checkedFetch }),
    clientFor: (apiKey) => createClient({ baseUrl: url, apiKey, fetch: checkedFetch }),
    api,
    config,
    blobs,
    artifacts: createArtifacts({ blobs }),
    lectures: createLectureStore({ blobs }),
    redis,
    keys,
    queues,
    publisher: createEventPublisher({ redis, keys }),
    metrics,
    log,
    async listFiles() {
      const entries = await readdir(dataDir, { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
    },
    async close() {
      api.endStreams();
      await front.close(2_000);
      await api.close();
      if (redis.status === 'ready') {
        const left = await redis.keys(`${prefix}*`);
        if (left.length > 0) await redis.del(...left);
      }
      redis.disconnect();
      await blobs.close();
      metrics.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** A small upload whose bytes are told by its text; no test here needs it to be a recording. */
export function toFile(text: string, name = 'Printing 1.mp3', type = 'audio/mpeg'): File {
  return new File([text], name, { type });
}

/** Asks until it is so; for states that another process reaches by itself. */
export async function until<T>(
  ask: () => Promise<T | undefined | false>,
  what: string,
  timeoutMs = 90_000,
): Promise<T> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() > endMs) throw new Error(`waited in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
