import type { Config } from '@studymate/config/config';
import type { RedisPlace } from '@studymate/contracts/places';
import type { Logger } from '@studymate/observability/logger';
import type { Metrics } from '@studymate/observability/metrics';
import type { Tracer } from '@studymate/observability/tracer';
import { type ActiveLectures, createActiveLectures } from '@studymate/queue/active';
import { type Advancer, createAdvancer } from '@studymate/queue/advance';
import { createPace, type Pace } from '@studymate/queue/backlog';
import {
  createEventPublisher,
  createEventReader,
  type EventPublisher,
  type EventReader,
} from '@studymate/queue/events';
import { createKeys, type Keys } from '@studymate/queue/keys';
import { createLiveStore, type LiveStore } from '@studymate/queue/live';
import { createModelFleet, type ModelFleet } from '@studymate/queue/model-fleet';
import { createQueues, type Queues } from '@studymate/queue/queues';
import { createQuickCalls, type QuickCalls } from '@studymate/queue/quick';
import { type ConnectionKind, createRedis } from '@studymate/queue/redis';
import { createUploadLocks, type UploadLocks } from '@studymate/queue/upload-locks';
import { type Artifacts, createArtifacts } from '@studymate/storage/artifacts';
import type { BlobStore } from '@studymate/storage/blob-store';
import { type Claims, createClaims } from '@studymate/storage/claims';
import { type ConversationStore, createConversationStore } from '@studymate/storage/conversation-store';
import { type CourseStore, createCourseStore } from '@studymate/storage/course-store';
import { createKeyStore, type KeyStore } from '@studymate/storage/key-store';
import { createLectureStore, type LectureStore } from '@studymate/storage/lecture-store';
import { openStore } from '@studymate/storage/open-store';
import { createReviewStore, type ReviewStore } from '@studymate/storage/review-store';
import type { StoreWatch } from '@studymate/storage/s3-blob-store';
import { explainStoreFault } from '@studymate/storage/store-fault';
import { createTranscriptEditStore, type TranscriptEditStore } from '@studymate/storage/transcript-edit-store';
import { createUploadStore, type UploadStore } from '@studymate/storage/upload-store';
import type { Redis } from 'ioredis';
import { type Breakers, createBreakers } from './breakers/breakers.ts';
import { guardStore } from './breakers/guard-store.ts';
import { createModelNames, type ModelNames } from './cache/model-names.ts';

/** Everything outside the process that the API works with. */
export interface Services {
  blobs: BlobStore;
  lectures: LectureStore;
  courses: CourseStore;
  conversations: ConversationStore;
  reviews: ReviewStore;
  edits: TranscriptEditStore;
  claims: Claims;
  uploads: UploadStore;
  uploadLocks: UploadLocks;
  apiKeys: KeyStore;
  artifacts: Artifacts;
  /** Commands that a request waits for; fails at once while Redis is away. */
  redis: Redis;
  /** Of answers that may be lost at any time. */
  cacheRedis: Redis;
  keys: Keys;
  queues: Queues;
  live: LiveStore;
  events: EventReader;
  publisher: EventPublisher;
  active: ActiveLectures;
  advancer: Advancer;
  pace: Pace;
  fleet: ModelFleet;
  modelNames: ModelNames;
  quick: QuickCalls;
  breakers: Breakers;
  close(): Promise<void>;
}

/** How long a start waits for Redis: without it the first requests would be refused, or not kept, although it is there. */
const redisGraceMs = 1_000;
const closeTimeoutMs = 1_000;

/** @throws AppError `storage_unavailable` when the store cannot be used */
export async function createServices(deps: {
  config: Config;
  logger: Logger;
  metrics: Metrics;
  tracer: Tracer;
}): Promise<Services> {
  const { config, logger, metrics } = deps;
  const { prefix } = config.redis;
  const connections: Redis[] = [];
  const connect = (kind: ConnectionKind, use: string, place: RedisPlace = config.redis): Redis => {
    let away = false;
    const redis = createRedis({
      ...place,
      kind,
      // ioredis tries again several times a second; an outage is one line in the log.
      onError(error) {
        if (!away) logger.warn({ use, reason: error.message }, 'Redis cannot be reached');
        away = true;
      },
    });
    redis.on('ready', () => {
      if (away) logger.info({ use }, 'Redis is back');
      away = false;
    });
    connections.push(redis);
    return redis;
  };

  const redis = connect('producer', 'commands');
  const cacheRedis = config.cache.redis === null ? redis : connect('producer', 'cache', config.cache.redis);
  const subscriber = connect('consumer', 'events');
  const eventsConnection = connect('consumer', 'answers');
  const watch: StoreWatch = {
    onFault: (error) => logger.warn({ reason: explainStoreFault(error) ?? error }, 'the store cannot be used'),
    onBack: () => logger.info('the store is back'),
  };
  const [{ blobs: store, partials }] = await Promise.all([
    openStore(config, watch),
    untilReady(redis),
    untilReady(cacheRedis),
  ]);
  const keys = createKeys(prefix);
  const breakers = createBreakers({ config: config.breakers, logger, metrics, redis, keys, blobs: store });
  const blobs = guardStore(store, breakers.store);
  const lectures = createLectureStore({ blobs });
  const queues = createQueues({ redis, prefix, traceparent: deps.tracer.traceparent });
  const active = createActiveLectures({ redis, keys });
  const events = createEventReader({ redis, subscriber, keys });
  const fleet = createModelFleet({ redis, keys });
  const uploadLocks = createUploadLocks({ redis, subscriber, keys });
  const modelNames = createModelNames({ fleet });
  const calls = createQuickCalls({ queues, eventsConnection, prefix, hasWorker: modelNames.hasWorker });
  const quick: QuickCalls = { ...calls, call: (data, options) => breakers.queue.run(() => calls.call(data, options)) };

  return {
    blobs,
    lectures,
    courses: createCourseStore({ blobs }),
    conversations: createConversationStore({ blobs }),
    reviews: createReviewStore({ blobs }),
    edits: createTranscriptEditStore({ blobs, lectures }),
    claims: createClaims({ blobs }),
    uploads: createUploadStore({ blobs, partials }),
    uploadLocks,
    apiKeys: createKeyStore({ blobs }),
    artifacts: createArtifacts({ blobs }),
    redis,
    cacheRedis,
    keys,
    queues,
    live: createLiveStore({ redis, keys }),
    events,
    publisher: createEventPublisher({ redis, keys }),
    active,
    advancer: createAdvancer({ lectures, queues, active }),
    pace: createPace({ redis, keys, queues, active, fleet }),
    fleet,
    modelNames,
    quick,
    breakers,
    async close() {
      breakers.close();
      await events.close();
      uploadLocks.close();
      // While Redis is away BullMQ waits for it, without an end.
      await within(closeTimeoutMs, Promise.allSettled([quick.close(), queues.close()]));
      for (const connection of connections) connection.disconnect();
      await blobs.close();
    },
  };
}

async function within(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([work, timeout]);
  clearTimeout(timer);
}

function untilReady(redis: Redis): Promise<void> {
  if (redis.status === 'ready') return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      redis.off('ready', done).off('error', done);
      resolve();
    };
    const timer = setTimeout(done, redisGraceMs);
    redis.once('ready', done).once('error', done);
  });
}
