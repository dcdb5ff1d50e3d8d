import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createId } from '@studymate/contracts/ids';
import { type ArtifactRef, type LectureRecord, toFirstVersion } from '@studymate/contracts/lecture-record';
import { stageNames } from '@studymate/contracts/stages';
import { createKeys, type Keys } from '@studymate/queue/keys';
import { createQueues, type Queues } from '@studymate/queue/queues';
import { createRedis } from '@studymate/queue/redis';
import { testRedisUrl } from '@studymate/queue/testing';
import type { BlobStore } from '@studymate/storage/blob-store';
import { createFileBlobStore } from '@studymate/storage/file-blob-store';
import { createLectureStore, type LectureStore } from '@studymate/storage/lecture-store';
import type { Redis } from 'ioredis';

/** A store and a part of the test run's Redis, and the settings under which commands find them. */
export interface TestStore {
  dir: string;
  env: Record<string, string>;
  blobs: BlobStore;
  lectures: LectureStore;
  redis: Redis;
  keys: Keys;
  queues: Queues;
  /** Everything that we have in Redis. */
  redisKeys(): Promise<string[]>;
  /** What FLUSHALL would do to us. */
  loseRedis(): Promise<void>;
  close(): Promise<void>;
}

export async function openTestStore(): Promise<TestStore> {
  const url = testRedisUrl();
  const dir = await mkdtemp(path.join(tmpdir(), 'studymate-cli-'));
  const prefix = `{cli-${randomUUID().slice(0, 8)}}`;
  const blobs = await createFileBlobStore({ rootDir: dir });
  const redis = createRedis({ url, kind: 'consumer', onError: () => {} });
  const queues = createQueues({ redis, prefix });
  const redisKeys = () => redis.keys(`${prefix}*`);
  const loseRedis = async () => {
    const left = await redisKeys();
    if (left.length > 0) await redis.del(...left);
  };
  return {
    dir,
    env: { DATA_DIR: dir, REDIS_URL: url, QUEUE_PREFIX: prefix },
    blobs,
    lectures: createLectureStore({ blobs }),
    redis,
    keys: createKeys(prefix),
    queues,
    redisKeys,
    loseRedis,
    async close() {
      await queues.close();
      await loseRedis();
      redis.disconnect();
      await blobs.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

const at = '2026-01-01T00:00:00.000Z';
const artifact: ArtifactRef = {
  key: 'k',
  schemaVersion: 1,
  algorithm: 'test@1',
  attempt: 1,
  startedAt: at,
  seconds: 1,
  cold: false,
};

/** A lecture as an upload leaves it. */
export async function addLecture(store: TestStore, changes: Partial<LectureRecord> = {}): Promise<LectureRecord> {
  const record = toFirstVersion({
    id: createId(),
    owner: 'ada',
    title: 'Printing',
    media: { key: `media/${createId()}`, fileName: 'a.mp3', contentType: 'audio/mpeg', bytes: 1, sha256: '00' },
    createdAt: at,
    ...changes,
  });
  await store.lectures.create(record);
  return record;
}

/** All stages done. */
export const finished = {
  artifacts: Object.fromEntries(stageNames.map((stage) => [stage, artifact])),
} as Pick<LectureRecord, 'artifacts'>;

/** All stages done but the summary, which gave up. */
export const summaryFailed = {
  artifacts: Object.fromEntries(stageNames.filter((name) => name !== 'summary').map((name) => [name, artifact])),
  failures: { summary: { code: 'timeout', message: 'The stage took too long.', attempt: 1, failedAt: at } },
} as Pick<LectureRecord, 'artifacts' | 'failures'>;
