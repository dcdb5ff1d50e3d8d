import { readFileSync } from 'node:fs';
import { AppError } from '@studymate/contracts/errors';
import type { RedisNode, RedisPlace } from '@studymate/contracts/places';
import { Cluster, Redis } from 'ioredis';

/** Connections differ in what they do while Redis is away: a request must fail soon, a worker must wait. */
export type ConnectionKind = 'producer' | 'consumer';

export interface RedisOptions extends RedisPlace {
  kind: ConnectionKind;
  onError(error: Error): void;
}

const connectTimeoutMs = 2_000;
const pauseMs = (attempt: number) => Math.min(attempt * 100, 1_000);

/**
 * A connection that comes back by itself, also to another Redis that has become the primary.
 * @throws Error when the file of certificates cannot be read
 */
export function createRedis(options: RedisOptions): Redis {
  const redis = options.clusterNodes ? connectToCluster(options, options.clusterNodes) : connect(options);
  // Without a listener a lost connection would end the process; ioredis reconnects by itself.
  redis.on('error', options.onError);
  return redis;
}

/** Where it is said to be, for people: without a password. */
export function toRedisName({ url, sentinels, clusterNodes }: RedisPlace): string {
  const list = (nodes: RedisNode[]) => nodes.map(({ host, port }) => `${host}:${port}`).join(', ');
  if (sentinels) return `${sentinels.name} of the sentinels ${list(sentinels.nodes)}`;
  if (clusterNodes) return `the cluster of ${list(clusterNodes)}`;
  const { hostname, port } = new URL(url);
  return `${hostname}:${port || 6379}`;
}

/** What each connection has, whatever it leads to. */
function toCommonOptions({ url, kind, caFile }: RedisOptions) {
  return {
    // BullMQ's blocking consumers must wait for as long as it takes; producers must not hang a request.
    maxRetriesPerRequest: kind === 'consumer' ? null : 1,
    connectTimeout: connectTimeoutMs,
    ...(caFile && url.startsWith('rediss:') && { tls: { ca: readFileSync(caFile) } }),
  };
}

function connect(options: RedisOptions): Redis {
  const { url, kind, sentinels } = options;
  const common = toCommonOptions(options);
  return new Redis(url, {
    ...common,
    enableOfflineQueue: kind === 'consumer',
    retryStrategy: pauseMs,
    lazyConnect: false,
    ...(sentinels && {
      sentinels: sentinels.nodes,
      name: sentinels.name,
      sentinelRetryStrategy: pauseMs,
      // They tell of a failover, which a connection to a primary that merely hangs would not show.
      failoverDetector: true,
      // A primary that has been made a replica may not have closed its connections yet.
      reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
      ...(sentinels.password !== null && { sentinelPassword: sentinels.password }),
      ...(url.startsWith('rediss:') && { enableTLSForSentinelMode: true, sentinelTLS: common.tls ?? {} }),
    }),
  });
}

/** Less than the second after which BullMQ ends a connection that it thinks hangs. */
const blockingGraceMs = 500;

/**
 * Has the blocking commands of a cluster's connection, and of its duplicates, end when their time is over, also while the
 * node that they wait for is being replaced. ioredis keeps such a command until there is a node for it; BullMQ would then
 * end the connection and wait for an end that a cluster without nodes never tells.
 */
function withPatience(cluster: Cluster): Cluster {
  const { sendCommand, duplicate } = cluster;
  cluster.sendCommand = (command, ...rest) => {
    const blockedMs = command.extractBlockingTimeout();
    // Counted from the first call, however often the command is sent again.
    if (typeof blockedMs === 'number' && blockedMs > 0) command.setBlockingTimeout(blockedMs + blockingGraceMs);
    return sendCommand.call(cluster, command, ...rest);
  };
  const duplicateWithPatience = (...args: Parameters<typeof duplicate>) =>
    withPatience(duplicate.apply(cluster, args) as Cluster);
  cluster.duplicate = duplicateWithPatience as typeof duplicate;
  return cluster;
}

/** All keys that we use lie in one slot, so that a cluster can do for us all that one Redis can. */
function connectToCluster(options: RedisOptions, nodes: RedisNode[]): Redis {
  const { username, password, protocol } = new URL(options.url);
  const cluster = new Cluster(nodes, {
    enableOfflineQueue: options.kind === 'consumer',
    clusterRetryStrategy: pauseMs,
    // A worker waits for the end of a failover; a request is told after a second (withRedis), and tries no longer itself.
    maxRedirections: options.kind === 'consumer' ? 10_000 : 16,
    retryDelayOnFailover: 200,
    retryDelayOnClusterDown: 200,
    retryDelayOnMoved: 100,
    slotsRefreshTimeout: connectTimeoutMs,
    slotsRefreshInterval: 5_000,
    redisOptions: {
      ...(protocol === 'rediss:' && { tls: {} }),
      ...toCommonOptions(options),
      ...(username !== '' && { username: decodeURIComponent(username) }),
      ...(password !== '' && { password: decodeURIComponent(password) }),
    },
  });
  // ioredis gives both the same commands and events, and of what they differ in we use nothing.
  return withPatience(cluster) as unknown as Redis;
}

/** No timer of a process that has time is as late as that. */
const heldUpMs = 50;
/** In which the time is counted. */
const parts = 4;

/**
 * Runs what a caller waits for; fails with `queue_unavailable` when Redis does not answer in time (a BullMQ producer made
 * while Redis is down hangs for more than 8 s otherwise). Where this process itself is held up, answers lie there unread:
 * such parts of the time do not count, up to as many again, and what has come is read before it gives up.
 */
export async function withRedis<T>(work: () => Promise<T>, timeoutMs = 1_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    let counted = 0;
    let all = 0;
    const wait = () => {
      const dueMs = performance.now() + timeoutMs / parts;
      timer = setTimeout(() => {
        all++;
        if (performance.now() - dueMs < heldUpMs) counted++;
        if (counted < parts && all < 2 * parts) wait();
        else setImmediate(() => reject(new Error(`no answer within ${timeoutMs} ms`)));
      }, timeoutMs / parts);
    };
    wait();
  });
  try {
    return await Promise.race([work(), timeout]);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('queue_unavailable', 'Redis cannot be reached at the moment.', {
      cause: error,
      details: { retryAfterSeconds: 2 },
    });
  } finally {
    clearTimeout(timer);
  }
}
