import { execFile } from 'node:child_process';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { rootDir } from '../support/running-system.ts';
import { until } from '../support/until.ts';
import type { FollowedLecture } from './followed-lecture.ts';
import type { Round, Scenario } from './scenario.ts';

const documents = ['Printing spread quickly.', 'Ink was made of soot.'];

/** What the API answers while Redis is away: what lies in the store, and a code for what needs the queue. */
async function checkApiWithoutRedis({ system }: Round, lectureId: string): Promise<void> {
  await until('an API that says it is not ready', async () => {
    return (await fetch(`${system.baseUrl}/health/ready`)).status === 503;
  });
  const live = await fetch(`${system.baseUrl}/health/live`);
  if (live.status !== 200) throw new Error(`without Redis /health/live answers ${live.status}`);
  const lecture = await fetch(`${system.baseUrl}/api/v1/lectures/${lectureId}`);
  if (lecture.status !== 200) throw new Error(`without Redis a lecture cannot be read: ${lecture.status}`);
  const refused = await fetch(`${system.baseUrl}/api/v1/topics`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ documents }),
  });
  const { error } = (await refused.json()) as { error?: { code: string } };
  const isRight = refused.status === 503 && error?.code === 'queue_unavailable' && refused.headers.has('retry-after');
  if (!isRight) throw new Error(`without Redis topics are answered with ${refused.status} ${error?.code}`);
}

const killed: Scenario = {
  name: 'redis-killed',
  fault: 'kill -9 of Redis, its append-only file kept, away for 30 s; from its return',
  async run(round) {
    const { system } = round;
    const lecture = await round.upload('long');
    await lecture.untilText();
    await system.killRedis();
    const back = delay(round.redisDownSeconds * 1_000);
    await checkApiWithoutRedis(round, lecture.id);
    // An upload is taken all the same, and queued later.
    const late = await round.upload('short');
    await back;
    await system.restartRedis();
    await round.struck(lecture, late);
  },
};

/** More work than a worker takes at a time. @returns the lectures when the first has text, and others wait */
async function uploadMany(round: Round): Promise<FollowedLecture[]> {
  const first = await round.upload('long');
  const others = await Promise.all(Array.from({ length: 2 }, () => round.upload('short')));
  await first.untilText();
  return [first, ...others];
}

const killedWithoutData: Scenario = {
  name: 'redis-lost',
  fault: 'kill -9 of Redis, which comes back empty; from its return until each of three lectures goes on',
  isBenchmarkOnly: true,
  async run(round) {
    const { system } = round;
    const lectures = await uploadMany(round);
    await system.killRedis();
    await system.restartRedis({ withoutData: true });
    await round.struck(...lectures);
  },
};

const flushed: Scenario = {
  name: 'redis-flushed',
  fault: 'FLUSHALL, nobody does anything; until each of three lectures goes on',
  async run(round) {
    const lectures = await uploadMany(round);
    await round.observer.flushAll();
    await round.struck(...lectures);
  },
};

const run = promisify(execFile);

const flushedAndReindexed: Scenario = {
  name: 'redis-flushed-reindexed',
  fault: 'FLUSHALL with no worker, `studymate reindex`, worker started; until each of three lectures goes on',
  async run(round) {
    const { system } = round;
    system.worker().signal('SIGKILL');
    await system.worker().exited;
    const lectures = await Promise.all([round.upload('short'), round.upload('short'), round.upload('short')]);
    await round.observer.flushAll();
    await round.struck(...lectures);
    const env = { PATH: process.env.PATH, REDIS_URL: system.redisUrl, DATA_DIR: system.dataDir };
    await run(process.execPath, [path.join(rootDir, 'apps/cli/dist/main.js'), 'reindex'], { cwd: rootDir, env });
    const listed = await round.observer.listActive();
    const missing = lectures.filter(({ id }) => !listed.includes(id));
    if (missing.length > 0) throw new Error(`reindex left out ${missing.map(({ id }) => id).join(' ')}`);
    await system.startWorker();
  },
};

export const redisScenarios: readonly Scenario[] = [killed, killedWithoutData, flushed, flushedAndReindexed];
