import { type ChildProcess, fork } from 'node:child_process';
import type { ModelReport } from '@studymate/contracts/models';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createModelFamily, type Lease, type ModelFamily } from '../src/model-family.ts';
import { createModelPool } from '../src/model-pool.ts';
import { buildChildProgram } from './support/child-program.ts';

let built: Awaited<ReturnType<typeof buildChildProgram>>;
beforeAll(async () => {
  built = await buildChildProgram();
});
afterAll(() => built.remove());

const open: ModelFamily[] = [];
afterEach(async () => {
  for (const pool of open.splice(0)) await pool.close();
});

function start(count: number, options: { mode?: (child: number) => string; idleTtlMs?: number } = {}) {
  const children: ChildProcess[] = [];
  const reports: ModelReport[] = [];
  let waiters: { test: (report: ModelReport) => boolean; resolve: () => void }[] = [];
  const pool: ModelFamily = createModelPool({
    count,
    createFamily: (onChange) =>
      createModelFamily({
        family: 'speech',
        verify: async () => {},
        spawn() {
          const child = fork(built.program, [options.mode?.(children.length) ?? 'good'], { serialization: 'advanced' });
          children.push(child);
          return child;
        },
        idleTtlMs: options.idleTtlMs ?? null,
        loadTimeoutMs: 120_000,
        keepWarm: false,
        onChange,
      }),
    onChange(report) {
      reports.push(report);
      for (const waiter of waiters.filter((each) => each.test(report))) {
        waiters = waiters.filter((each) => each !== waiter);
        waiter.resolve();
      }
    },
  });
  open.push(pool);
  const reported = (matches: (report: ModelReport) => boolean) =>
    new Promise<void>((resolve) => waiters.push({ test: matches, resolve }));
  return { pool, children, reports, reported };
}

const work = { priority: 1, timeoutMs: 120_000 };
const pidOf = async (lease: Lease) => (await lease.run<number>('pid', null, work)).value;

test('many that wait for the first load: one process is loaded for all of them', async () => {
  const { pool, children } = start(4);
  const leases = await Promise.all(Array.from({ length: 5 }, () => pool.acquire()));
  expect(children).toHaveLength(1);
  expect(new Set(await Promise.all(leases.map(pidOf)))).toEqual(new Set([children[0]?.pid]));
});

test('a use while the loaded process is busy: has that one at once, and the next has another of its own', async () => {
  const { pool, children, reported } = start(2);
  const busy = await pool.acquire();
  let loads = 0;
  const second = reported(({ state }) => state === 'ready' && ++loads === 2);
  const waiting = await pool.acquire();
  expect([waiting.cold, await pidOf(waiting)]).toEqual([false, children[0]?.pid]);
  await second;
  const next = await pool.acquire();
  expect([next.cold, await pidOf(next)]).toEqual([false, children[1]?.pid]);
  // The first process has two uses, the second one: a third of the first would be more.
  expect(await pidOf(await pool.acquire())).toBe(children[1]?.pid);
  busy.release();
  busy.release();
  waiting.release();
  expect(await pidOf(await pool.acquire())).toBe(children[0]?.pid);
});

test('one of two processes dies in the middle of work: its work fails, the other goes on, and the family stays ready', async () => {
  const { pool, children } = start(2);
  await pool.load();
  const [first, second] = [await pool.acquire(), await pool.acquire()];
  const dying = first.run('wait', null, work);
  const pid = await pidOf(second);
  children.find((child) => child.pid !== pid)?.kill('SIGKILL');
  await expect(dying).rejects.toMatchObject({ code: 'model_crashed' });
  expect(pool.report().state).toBe('ready');
  expect(await pidOf(second)).toBe(pid);
});

test('loaded on request: all processes, whose memory and open work are told together', async () => {
  const { pool, children } = start(3);
  await pool.load();
  expect(children).toHaveLength(3);
  const leases = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]);
  const controller = new AbortController();
  const waits = leases.map((lease) => lease.run('wait', null, { ...work, signal: controller.signal }));
  expect(pool.report()).toMatchObject({ state: 'ready', openWork: 3, failureCode: null });
  expect(pool.report().memoryBytes).toBeGreaterThan(3_000_000);
  controller.abort();
  await Promise.allSettled(waits);
});

test('a further process that cannot be loaded: the first one does the work, and the family stays ready', async () => {
  const { pool, reports, reported } = start(2, { mode: (child) => (child === 0 ? 'good' : 'bad-load') });
  const lease = await pool.acquire();
  let changes = 0;
  const failed = reported(() => ++changes === 2);
  const second = await pool.acquire();
  await failed;
  expect(await pidOf(second)).toBe(await pidOf(lease));
  expect(reports.at(-1)).toMatchObject({ state: 'ready', failureCode: null });
  expect((await pool.acquire()).cold).toBe(false);
});

test('a further process whose load failed: a load of the family is whole with the first, and a later use tries again', async () => {
  const { pool, children } = start(2, { mode: (child) => (child === 1 ? 'bad-load' : 'good') });
  await pool.load();
  expect([children.length, pool.report().state]).toEqual([2, 'ready']);
  expect((await pool.acquire()).cold).toBe(false);
});

test('processes without a use: each is unloaded after its time to live, and then the family is', async () => {
  const { pool, reported } = start(2, { idleTtlMs: 50 });
  const unloaded = reported(({ state }) => state === 'unloaded');
  await pool.load();
  await unloaded;
  expect(pool.report()).toMatchObject({ state: 'unloaded', memoryBytes: null });
});
