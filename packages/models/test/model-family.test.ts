import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { AppError } from '@studymate/contracts/errors';
import type { ModelState } from '@studymate/contracts/models';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createModelFamily, type ModelFamily, type ModelFamilyDeps } from '../src/model-family.ts';
import { buildChildProgram } from './support/child-program.ts';

let built: Awaited<ReturnType<typeof buildChildProgram>>;
beforeAll(async () => {
  built = await buildChildProgram();
});
afterAll(() => built.remove());

const open: ModelFamily[] = [];
afterEach(async () => {
  for (const family of open.splice(0)) await family.close();
});

function start(changes: Partial<ModelFamilyDeps> = {}, mode = 'good') {
  const children: ChildProcess[] = [];
  const states: ModelState[] = [];
  const reasons: AppError[] = [];
  const waiting: { state: ModelState; resolve: () => void }[] = [];
  const family = createModelFamily({
    family: 'text',
    verify: async () => {},
    spawn() {
      const child = fork(built.program, [mode], { serialization: 'advanced' });
      children.push(child);
      return child;
    },
    idleTtlMs: null,
    loadTimeoutMs: 120_000,
    keepWarm: false,
    onChange({ state }, reason) {
      states.push(state);
      if (reason) reasons.push(reason);
      for (const waiter of waiting) if (waiter.state === state) waiter.resolve();
    },
    ...changes,
  });
  open.push(family);
  const reached = (state: ModelState) => new Promise<void>((resolve) => waiting.push({ state, resolve }));
  return { family, children, states, reasons, reached };
}

const options = { priority: 1, timeoutMs: 120_000 };

describe('a model family', () => {
  test('loads once for twenty jobs that wait, and only the ones that waited are cold', async () => {
    const { family, children, states } = start();
    const leases = await Promise.all(Array.from({ length: 20 }, () => family.acquire()));
    expect(children).toHaveLength(1);
    expect(leases.every((lease) => lease.cold)).toBe(true);
    const warm = await family.acquire();
    expect(warm.cold).toBe(false);
    expect(warm.loadSeconds).toBe(0);
    expect(states).toEqual(['loading', 'ready']);
    expect(family.report().memoryBytes).toBeGreaterThan(1_000_000);
  });

  test('typed arrays cross to the process and back unchanged', async () => {
    const lease = await start().family.acquire();
    const samples = Int16Array.from([1, -2, 32_767]);
    expect((await lease.run('echo', { samples }, options)).value).toEqual({ samples });
  });

  test('a crash fails the running work with model_crashed and the next work gets a new process', async () => {
    const { family, children } = start();
    const lease = await family.acquire();
    await expect(lease.run('crash', null, options)).rejects.toMatchObject({ code: 'model_crashed', retryable: true });
    const { value } = await lease.run<number>('pid', null, options);
    expect(children).toHaveLength(2);
    expect(value).toBe(children[1]?.pid);
  });

  test('work that spins past its deadline is ended by killing the process', async () => {
    const { family, children } = start();
    const lease = await family.acquire();
    const exited = once(children[0] as ChildProcess, 'exit');
    await expect(lease.run('spin', null, { priority: 1, timeoutMs: 200 })).rejects.toMatchObject({ code: 'timeout' });
    expect((await exited)[1]).toBe('SIGKILL');
  });

  test('cancelled work is stopped and the process goes on with the next', async () => {
    const { family, children } = start();
    const lease = await family.acquire();
    const controller = new AbortController();
    const work = lease.run('wait', null, { ...options, signal: controller.signal });
    controller.abort();
    await expect(work).rejects.toMatchObject({ code: 'cancelled' });
    expect((await lease.run('echo', 'next', options)).value).toBe('next');
    expect(children).toHaveLength(1);
  });

  test('urgent work goes before what waits, in order among equals', async () => {
    const lease = await start().family.acquire();
    const order: string[] = [];
    const controller = new AbortController();
    const first = lease.run('wait', null, { priority: 1, timeoutMs: 120_000, signal: controller.signal });
    const rest = [
      ['late', 5],
      ['later', 5],
      ['urgent', 0],
    ].map(([name, priority]) =>
      lease
        .run('echo', name, { priority: priority as number, timeoutMs: 120_000 })
        .then(() => order.push(name as string)),
    );
    // The requests leave within this turn of the event loop; the cancellation then follows them on the channel.
    await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await expect(first).rejects.toMatchObject({ code: 'cancelled' });
    await Promise.all(rest);
    expect(order).toEqual(['urgent', 'late', 'later']);
  });

  test('an error of the runtime keeps its code', async () => {
    const lease = await start().family.acquire();
    await expect(lease.run('refuse', null, options)).rejects.toMatchObject({
      code: 'invalid_request',
      retryable: false,
    });
  });

  test('unused for its time to live, it ends its process and loads again when asked', async () => {
    const { family, children, reached } = start({ idleTtlMs: 50 });
    const lease = await family.acquire();
    const exited = once(children[0] as ChildProcess, 'exit');
    const unloaded = reached('unloaded');
    lease.release();
    await unloaded;
    await exited;
    expect(family.report().memoryBytes).toBeNull();
    expect((await family.acquire()).cold).toBe(true);
    expect(children).toHaveLength(2);
  });

  test('damaged weights are said to all that wait and to all that ask while the next load is backed off', async () => {
    const { family, children } = start({}, 'bad-load');
    const waiting = await Promise.allSettled([family.acquire(), family.acquire()]);
    for (const result of waiting) expect(result).toMatchObject({ reason: { code: 'model_damaged' } });
    await expect(family.acquire()).rejects.toMatchObject({ code: 'model_damaged', retryable: false });
    expect(children).toHaveLength(1);
    expect(family.report().state).toBe('failed');
  });

  test('a process that ends while loading: come back later, and no new process until then', async () => {
    const { family, children } = start({}, 'crash-at-load');
    for (const expected of [{ cause: { code: 'model_crashed' } }, { details: { retryAfterSeconds: 10 } }]) {
      await expect(family.acquire()).rejects.toMatchObject({ code: 'model_loading', retryable: true, ...expected });
    }
    expect(children).toHaveLength(1);
  });

  test('a wait for the load that is cancelled ends at once, and the load goes on for the others', async () => {
    const { family, children } = start();
    const controller = new AbortController();
    const cancelled = family.acquire(controller.signal);
    const other = family.acquire();
    controller.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });
    expect((await (await other).run('echo', 1, options)).value).toBe(1);
    expect(children).toHaveLength(1);
  });

  test('work that hangs after it was cancelled is still ended at its deadline, and the next work is done', async () => {
    const { family, children } = start();
    const lease = await family.acquire();
    const controller = new AbortController();
    const exited = once(children[0] as ChildProcess, 'exit');
    const hanging = lease.run('spin', null, { priority: 1, timeoutMs: 300, signal: controller.signal });
    const next = lease.run('echo', 'next', options);
    await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await expect(hanging).rejects.toMatchObject({ code: 'cancelled' });
    // What stood in the row behind it goes down with the process, and is tried again by whoever wanted it.
    await expect(next).rejects.toMatchObject({ code: 'timeout', retryable: true });
    await exited;
    expect((await lease.run('echo', 'again', options)).value).toBe('again');
  });

  test('closing it ends the process and refuses new leases', async () => {
    const { family, children } = start();
    await family.acquire();
    await family.close();
    expect(children[0]?.signalCode).toBe('SIGKILL');
    await expect(family.acquire()).rejects.toMatchObject({ code: 'model_crashed' });
  });

  test('closing it while it loads ends the process and the wait', async () => {
    const { family, children } = start({}, 'spin-at-load');
    const waiting = family.acquire();
    await expect.poll(() => children.length).toBe(1);
    await Promise.all([expect(waiting).rejects.toMatchObject({ code: 'model_crashed' }), family.close()]);
    expect(children[0]?.signalCode).toBe('SIGKILL');
  });

  test('work that interrupts is done in the middle of what runs, before what waits', async () => {
    const lease = await start().family.acquire();
    const order: string[] = [];
    const note = (name: string) => () => order.push(name);
    await Promise.all([
      lease.run('until-interrupted', null, { ...options, priority: 3 }).then(note('long')),
      lease.run('echo', null, { ...options, priority: 0 }).then(note('urgent')),
      lease.run('interrupt', null, { ...options, priority: 5, interrupts: true }).then(note('interrupting')),
    ]);
    expect(order).toEqual(['interrupting', 'long', 'urgent']);
  });

  test('two pieces that interrupt, the second sent when the first was answered: what runs makes no step between them', async () => {
    const lease = await start({}, 'patient').family.acquire();
    const steps = lease.run('steps-between', null, { ...options, priority: 3 });
    for (let i = 0; i < 2; i++) await lease.run('interrupt', null, { ...options, priority: 0, interrupts: true });
    expect((await steps).value).toBe(0);
  });

  test('loaded without a use it is unloaded after its time to live', async () => {
    const { family, reached, states } = start({ idleTtlMs: 50 });
    const unloaded = reached('unloaded');
    await family.load();
    await unloaded;
    expect(states).toEqual(['loading', 'ready', 'unloaded']);
  });

  test('a load that outlasts the time to live of those who gave up waiting is still unloaded after it', async () => {
    const { family, reached, states } = start({ idleTtlMs: 1 });
    const controller = new AbortController();
    const unloaded = reached('unloaded');
    const waiting = family.acquire(controller.signal);
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    await unloaded;
    expect(states).toEqual(['loading', 'ready', 'unloaded']);
  });
});

/** Many beats, so that a busy machine has time to answer. */
const quickBeat = { intervalMs: 50, loadedMisses: 40, loadingMisses: 400 };

describe('the heartbeat', () => {
  test('a process stopped while it is idle is ended, what it was asked meanwhile fails, and the next is done', async () => {
    const { family, children, reasons, states } = start({ heartbeat: quickBeat });
    const lease = await family.acquire();
    const exited = once(children[0] as ChildProcess, 'exit');
    children[0]?.kill('SIGSTOP');
    // Never begun, so its own deadline would never count.
    const work = lease.run('echo', 1, options);
    await expect(work).rejects.toMatchObject({ code: 'model_crashed', retryable: true });
    expect((await exited)[1]).toBe('SIGKILL');
    expect(states).toEqual(['loading', 'ready', 'unloaded']);
    expect(reasons.map(({ message }) => message)).toEqual([expect.stringContaining('no sign of life')]);
    expect((await lease.run('echo', 2, options)).value).toBe(2);
  });

  test('a process that spins while it loads is ended before its load is overdue', async () => {
    const heartbeat = { ...quickBeat, loadingMisses: 10 };
    const { family, reasons } = start({ heartbeat, loadTimeoutMs: 600_000 }, 'spin-at-load');
    await expect(family.acquire()).rejects.toMatchObject({ code: 'model_loading' });
    expect(reasons.map(({ message }) => message)).toEqual([expect.stringContaining('no sign of life')]);
  });

  test('work that blocks for many beats is left alone until its deadline', async () => {
    const { family, reasons } = start({ heartbeat: quickBeat });
    const lease = await family.acquire();
    const spinning = lease.run('spin', null, { priority: 1, timeoutMs: 3_000 });
    await expect(spinning).rejects.toMatchObject({ code: 'timeout' });
    expect(reasons).toMatchObject([{ code: 'timeout' }]);
  });

  test('a process stopped in the middle of work is ended long before the deadline of the work', async () => {
    const { family, children, reasons } = start({ heartbeat: quickBeat });
    const lease = await family.acquire();
    const work = lease.run('until-interrupted', null, { priority: 1, timeoutMs: 600_000 });
    // Answered in the middle of the work, so it has begun.
    await lease.run('echo', 1, { ...options, interrupts: true });
    children[0]?.kill('SIGSTOP');
    await expect(work).rejects.toMatchObject({ code: 'model_crashed', retryable: true });
    expect(reasons.map(({ message }) => message)).toEqual([expect.stringContaining('no sign of life')]);
  });
});

describe('a family that is kept warm', () => {
  test('is not unloaded when nobody uses it, and its process answers later', async () => {
    const { family, children, states } = start({ keepWarm: true, idleTtlMs: 1 });
    (await family.acquire()).release();
    // As many turns of a timer as would have ended it.
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 1));
    expect((await (await family.acquire()).run('pid', null, options)).value).toBe(children[0]?.pid);
    expect(states).toEqual(['loading', 'ready']);
  });

  test('is loaded again by itself after a crash', async () => {
    const { family, children, states, reached } = start({ keepWarm: true });
    await family.load();
    const unloaded = reached('unloaded');
    children[0]?.kill('SIGKILL');
    await unloaded;
    const ready = reached('ready');
    await ready;
    expect(children).toHaveLength(2);
    expect(states).toEqual(['loading', 'ready', 'unloaded', 'loading', 'ready']);
  });
});
