import { existsSync } from 'node:fs';
import { type Config, parseConfig } from '@studymate/config/config';
import { AppError } from '@studymate/contracts/errors';
import type { RedisPlace } from '@studymate/contracts/places';
import { type ActiveLectures, createActiveLectures } from '@studymate/queue/active';
import { type Advancer, createAdvancer } from '@studymate/queue/advance';
import { createFailedJobs, type FailedJobs } from '@studymate/queue/failed';
import { createKeys, type Keys } from '@studymate/queue/keys';
import { createQueues, type Queues } from '@studymate/queue/queues';
import { createRedis, toRedisName } from '@studymate/queue/redis';
import type { BlobStore } from '@studymate/storage/blob-store';
import { createLectureStore, type LectureStore } from '@studymate/storage/lecture-store';
import { openStore } from '@studymate/storage/open-store';
import type { Redis } from 'ioredis';
import type { CommandContext } from './command.ts';

/** @throws ConfigError naming all mistakes at once */
export function readConfig(context: CommandContext): Config {
  return parseConfig(context.env, context.workingDir);
}

/**
 * Opens the blob store for as long as the work lasts.
 * @param options.mayMake make the folder where there is none; a wrong DATA_DIR would else go unnoticed
 * @throws AppError `storage_unavailable`
 */
export async function withStore<T>(
  config: Config,
  work: (blobs: BlobStore) => Promise<T>,
  { mayMake = false }: { mayMake?: boolean } = {},
): Promise<T> {
  const { dataDir, s3 } = config;
  if (!s3 && !mayMake && !existsSync(dataDir)) {
    throw new AppError('storage_unavailable', `There is no store at ${dataDir}; set DATA_DIR to where the API has it.`);
  }
  const { blobs } = await openStore(config);
  try {
    return await work(blobs);
  } finally {
    await blobs.close();
  }
}

/** Store and queue together, as the commands need them that rebuild or repeat work. */
export interface Core {
  lectures: LectureStore;
  redis: Redis;
  keys: Keys;
  queues: Queues;
  active: ActiveLectures;
  advancer: Advancer;
  failed: FailedJobs;
}

/**
 * Opens store and queue for as long as the work lasts.
 * @throws AppError `storage_unavailable`, `queue_unavailable`
 */
export function withCore<T>(config: Config, work: (core: Core) => Promise<T>): Promise<T> {
  return withStore(config, async (blobs) => {
    const { prefix } = config.redis;
    const redis = await connectRedis(config.redis);
    const queues = createQueues({ redis, prefix });
    try {
      const lectures = createLectureStore({ blobs });
      const keys = createKeys(prefix);
      const active = createActiveLectures({ redis, keys });
      const advancer = createAdvancer({ lectures, queues, active });
      const failed = createFailedJobs({
        lectures,
        redis,
        keys,
        async submit(record) {
          await active.add(record);
          await advancer.advance(record.id);
        },
      });
      return await work({ lectures, redis, keys, queues, active, advancer, failed });
    } catch (thrown) {
      throw toRedisError(thrown);
    } finally {
      await queues.close();
      redis.disconnect();
    }
  });
}

const connectTimeoutMs = 3_000;

/**
 * A connection that is ready. Commands on it fail soon when Redis goes away: an operator would rather know than wait.
 * @throws AppError `queue_unavailable` that names the address without its password
 */
export async function connectRedis(place: RedisPlace): Promise<Redis> {
  let timer: NodeJS.Timeout | undefined;
  let onError = (_error: Error) => {};
  const redis = createRedis({ ...place, kind: 'producer', onError: (error) => onError(error) });
  try {
    await new Promise<void>((resolve, reject) => {
      onError = reject;
      redis.once('ready', resolve);
      timer = setTimeout(() => reject(new Error(`no answer within ${connectTimeoutMs / 1000} s`)), connectTimeoutMs);
    });
    return redis;
  } catch (cause) {
    redis.disconnect();
    const host = toRedisName(place);
    const why = cause instanceof Error ? `: ${cause.message}` : '';
    throw new AppError('queue_unavailable', `Redis does not answer at ${host} (REDIS_URL)${why}.`, { cause });
  } finally {
    clearTimeout(timer);
    onError = () => {};
  }
}

/** What Redis itself has refused, or a lost connection, as an error with a code; anything else as it is. */
function toRedisError(thrown: unknown): unknown {
  if (!(thrown instanceof Error) || thrown instanceof AppError) return thrown;
  const isRedis =
    thrown.name === 'ReplyError' ||
    thrown.name === 'MaxRetriesPerRequestError' ||
    /^(Connection is|Stream isn't)/.test(thrown.message);
  return isRedis ? new AppError('queue_unavailable', `Redis: ${thrown.message}`, { cause: thrown }) : thrown;
}
