import { existsSync } from 'node:fs';
import { type Config, ConfigError } from '@studymate/config/config';
import { createFailedJobs } from '@studymate/queue/failed';
import { createKeys } from '@studymate/queue/keys';
import { createModelFleet } from '@studymate/queue/model-fleet';
import { createQueues } from '@studymate/queue/queues';
import { toRedisName } from '@studymate/queue/redis';
import type { BlobStore } from '@studymate/storage/blob-store';
import { createLectureStore } from '@studymate/storage/lecture-store';
import { openStore } from '@studymate/storage/open-store';
import type { Redis } from 'ioredis';
import { type Command, type CommandContext, UsageError } from '../command.ts';
import { type Finding, runCheck } from '../doctor/check.ts';
import { checkMedia } from '../doctor/media-check.ts';
import { checkFailed, checkModels, checkQueues, checkStuck } from '../doctor/queue-check.ts';
import { checkRedis } from '../doctor/redis-check.ts';
import { checkServices } from '../doctor/services-check.ts';
import { checkAccess, checkNode } from '../doctor/settings-check.ts';
import { checkBucket, checkFolder, checkTempFiles } from '../doctor/store-check.ts';
import { checkWeights } from '../doctor/weights-check.ts';
import { connectRedis, readConfig } from '../open.ts';

const help = `Usage: npm run studymate -- doctor [--json]

Looks at everything that StudyMate needs, and at what it is doing: Node, settings, access, Redis, store, ffmpeg, weights,
ports, workers, queue, lectures. One line each: ok, warning or failure, with what would help. It changes nothing; the
store is written to with a test file that is removed again.
Status 1 when there is a failure.`;

export const doctorCommand: Command = {
  summary: 'look at everything that StudyMate needs, and say what is wrong',
  help,
  options: { json: { type: 'boolean' } },
  async run(call, context) {
    if (call.positionals.length > 0) throw new UsageError('doctor: takes no more words');
    const isJson = call.values.json === true;
    const findings: Finding[] = [];
    for await (const finding of examine(context)) {
      findings.push(finding);
      if (!isJson) context.print(toLine(finding));
    }
    const count = (state: Finding['state']) => findings.filter((finding) => finding.state === state).length;
    const ok = count('failure') === 0;
    if (isJson) context.print(JSON.stringify({ ok, findings }));
    else context.print(`ok ${count('ok')}, warning ${count('warning')}, failure ${count('failure')}`);
    return ok ? 0 : 1;
  },
};

function toLine({ name, state, message, fix }: Finding): string {
  const line = `${state.padEnd(7)}  ${name.padEnd(8)}  ${message}${fix === undefined ? '' : `. To do: ${fix}`}`;
  return line.replace(/\p{Cc}/gu, '?');
}

/** Looks at one thing after the other; what needs something that is not there is left out. */
async function* examine(context: CommandContext): AsyncGenerator<Finding> {
  yield checkNode(process.versions.node);
  let config: Config;
  try {
    config = readConfig(context);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const fix = 'docs/configuration.md has every setting';
    for (const message of error.mistakes) yield { name: 'settings', state: 'failure', message, fix };
    return;
  }
  yield { name: 'settings', state: 'ok', message: 'all are of the right form' };
  const store = yield* examineStore(config);
  const redis = yield* examineRedis(config);
  try {
    yield await one('access', 'see the store', () => checkAccess(config, store));
    yield* await many('ffmpeg', 'install ffmpeg', () => checkMedia(config.media));
    const { findBundledModel } = context;
    yield* await many('weights', 'npm ci', () => checkWeights({ config: config.models, findBundledModel }));
    yield* await many('ports', 'see the logs', () => checkServices(config));
    if (redis) yield* examineQueues(config, redis, store);
  } finally {
    redis?.disconnect();
    await store?.close();
  }
}

async function* examineStore(config: Config): AsyncGenerator<Finding, BlobStore | null> {
  const { dataDir, s3 } = config;
  let store: BlobStore | null = null;
  if (s3) {
    yield* await many('store', 'correct the settings S3_…, and what the key may do', async () => {
      store = (await openStore(config)).blobs;
      return checkBucket(store, s3, { dataDir, maxUploadBytes: config.limits.maxUploadBytes });
    });
    return store;
  }
  if (!existsSync(dataDir)) {
    const fix = 'the first start makes it; if there should be lectures, DATA_DIR is wrong';
    yield { name: 'store', state: 'warning', message: `there is no folder ${dataDir}`, fix };
    return null;
  }
  yield* await many('store', 'see the folder ~tmp in DATA_DIR', () => checkTempFiles(dataDir));
  yield* await many('store', `give the user who runs StudyMate the rights to ${dataDir}`, async () => {
    store = (await openStore(config)).blobs;
    return checkFolder(store, dataDir, config.limits.maxUploadBytes);
  });
  return store;
}

async function* examineRedis(config: Config): AsyncGenerator<Finding, Redis | null> {
  let redis: Redis | null = null;
  yield* await many('redis', 'start it, or correct REDIS_URL', async () => {
    redis = await connectRedis(config.redis);
    return checkRedis(redis, toRedisName(config.redis));
  });
  return redis;
}

async function* examineQueues(config: Config, redis: Redis, store: BlobStore | null): AsyncGenerator<Finding> {
  const { prefix } = config.redis;
  const queues = createQueues({ redis, prefix });
  const keys = createKeys(prefix);
  const fix = 'see the log of Redis';
  try {
    yield* await many('queue', fix, () => checkQueues(queues));
    yield* await many('models', fix, () => checkModels(createModelFleet({ redis, keys })));
    if (!store) return;
    const lectures = createLectureStore({ blobs: store });
    const submit = () => Promise.reject(new Error('the doctor queues nothing'));
    const failed = createFailedJobs({ lectures, redis, keys, submit });
    yield await one('failed', fix, () => checkFailed(failed));
    yield* await many('lectures', fix, () => checkStuck({ lectures, queues }));
  } finally {
    await queues.close();
  }
}

const many = (name: string, fix: string, run: () => Promise<Finding[]>) => runCheck({ name, fix, run });

async function one(name: string, fix: string, run: () => Promise<Finding>): Promise<Finding> {
  const [finding] = await many(name, fix, async () => [await run()]);
  if (!finding) throw new Error(`${name} was not looked at`);
  return finding;
}
