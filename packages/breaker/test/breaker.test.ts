import { AppError } from '@studymate/contracts/errors';
import { afterEach, expect, test } from 'vitest';
import { type BreakerDeps, createBreaker } from '../src/breaker.ts';

const until = (isSo: () => Promise<boolean>, message: string) =>
  expect.poll(isSo, { message, interval: 20 }).toBe(true);

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

function make(changes: Partial<BreakerDeps> = {}) {
  const states: string[] = [];
  let refused = 0;
  const breaker = createBreaker({
    failures: 5,
    openMs: 60_000,
    isFailure: (error) => error instanceof AppError && error.code === 'queue_unavailable',
    toRefusal: (retryAfterSeconds) => new AppError('queue_unavailable', 'refused', { details: { retryAfterSeconds } }),
    onState: (state) => states.push(state),
    onRefused: () => refused++,
    ...changes,
  });
  closers.push(breaker.close);
  return { breaker, states, refusedCount: () => refused };
}
const failing = () => Promise.reject(new AppError('queue_unavailable', 'away'));
const wrong = () => Promise.reject(new AppError('invalid_request', 'wrong'));
const codeOf = (work: Promise<unknown>) =>
  work.then(
    (value) => value,
    (error: AppError) => error.message,
  );

test('five failures in a row: refused from then on, at once, with the time until the next try; fewer are passed on', async () => {
  const { breaker, states, refusedCount } = make();
  for (let i = 0; i < 4; i++) expect(await codeOf(breaker.run(failing))).toBe('away');
  expect(await codeOf(breaker.run(async () => 'done'))).toBe('done');
  for (let i = 0; i < 5; i++) expect(await codeOf(breaker.run(failing))).toBe('away');
  let asked = 0;
  const refusal = breaker.run(async () => asked++);
  await expect(refusal).rejects.toMatchObject({ message: 'refused', details: { retryAfterSeconds: 60 } });
  expect([asked, refusedCount(), states]).toEqual([0, 1, ['closed', 'open']]);
});

test('mistakes of callers, however many: no failures of what is asked', async () => {
  const { breaker, states } = make();
  for (let i = 0; i < 20; i++) expect(await codeOf(breaker.run(wrong))).toBe('wrong');
  expect(states).toEqual(['closed']);
});

test('after its time: one call is let through, the others are refused meanwhile; a failure opens it again, a success closes it', async () => {
  const { breaker, states } = make({ openMs: 20 });
  for (let i = 0; i < 5; i++) await codeOf(breaker.run(failing));
  let finish: (error?: Error) => void = () => {};
  const probe = () =>
    new Promise<string>((resolve, reject) => {
      finish = (error) => (error ? reject(error) : resolve('well'));
    });
  const tryAgain = async () => {
    let entered: Promise<string> | undefined;
    let isIn = false;
    await until(async () => {
      entered = codeOf(
        breaker.run(() => {
          isIn = true;
          return probe();
        }),
      ) as Promise<string>;
      await Promise.race([entered, Promise.resolve()]);
      await new Promise((resolve) => setImmediate(resolve));
      return isIn;
    }, 'the probe');
    return entered as Promise<string>;
  };
  let entered = tryAgain();
  await until(async () => states.at(-1) === 'half_open', 'half open');
  expect(await codeOf(breaker.run(async () => 'not asked'))).toBe('refused');
  finish(new AppError('queue_unavailable', 'away'));
  expect(await entered).toBe('away');
  expect(states.at(-1)).toBe('open');

  entered = tryAgain();
  await until(async () => states.at(-1) === 'half_open', 'half open');
  finish();
  expect(await entered).toBe('well');
  expect(states.at(-1)).toBe('closed');
  expect(await codeOf(breaker.run(async () => 'asked'))).toBe('asked');
});

test('a caller who leaves while it is tried again: it is not taken for well, and opens again', async () => {
  const { breaker, states } = make({ openMs: 20 });
  for (let i = 0; i < 5; i++) await codeOf(breaker.run(failing));
  const leave = () => Promise.reject(new AppError('cancelled', 'gone'));
  await until(async () => (await codeOf(breaker.run(leave))) === 'gone', 'the probe');
  expect(states).toEqual(['closed', 'open', 'half_open', 'open']);
  await until(async () => (await codeOf(breaker.run(async () => 'well'))) === 'well', 'the next probe');
  expect(states.at(-1)).toBe('closed');
});

test('callers who leave, however many: neither failures nor successes', async () => {
  const { breaker, states } = make();
  const leave = () => Promise.reject(new AppError('cancelled', 'gone'));
  for (let i = 0; i < 20; i++) expect(await codeOf(breaker.run(leave))).toBe('gone');
  expect(states).toEqual(['closed']);
  for (let i = 0; i < 5; i++) {
    await codeOf(breaker.run(failing));
    await codeOf(breaker.run(leave));
  }
  expect(states).toEqual(['closed', 'open']);
});

test('what proves nothing by succeeding: failures of other calls count through it, and so do its own', async () => {
  const { breaker, states } = make({ openMs: 20 });
  const look = () => breaker.run(async () => 'seen', { isProof: false });
  for (let i = 0; i < 4; i++) {
    expect(await look()).toBe('seen');
    await codeOf(breaker.run(failing));
  }
  expect(await codeOf(breaker.run(failing, { isProof: false }))).toBe('away');
  expect(states).toEqual(['closed', 'open']);
  await until(async () => (await codeOf(look())) === 'seen', 'the look that is let through');
  expect(states.at(-1)).toBe('open');
});

test('a harmless question that is answered while it is open: closes it before its time', async () => {
  let isThere = false;
  const probe = () => (isThere ? Promise.resolve() : Promise.reject(new Error('away')));
  const { breaker, states } = make({ probe, probeEveryMs: 10 });
  for (let i = 0; i < 5; i++) await codeOf(breaker.run(failing));
  expect(await codeOf(breaker.run(async () => 'asked'))).toBe('refused');
  isThere = true;
  await until(async () => states.at(-1) === 'closed', 'the breaker to close');
  expect(await codeOf(breaker.run(async () => 'asked'))).toBe('asked');
});

test('work that is no promise: its end counts as that of a call', async () => {
  const { breaker, states } = make();
  (await breaker.begin()).end();
  for (let i = 0; i < 5; i++) (await breaker.begin()).end(new AppError('queue_unavailable', 'away'));
  await until(async () => states.at(-1) === 'open', 'the breaker to open');
  await expect(breaker.begin()).rejects.toMatchObject({ message: 'refused' });
});

test('whether it would refuse: only while it is open, and while another call is the probe', async () => {
  const { breaker } = make({ openMs: 20 });
  expect(breaker.refuses()).toBe(false);
  for (let i = 0; i < 5; i++) await codeOf(breaker.run(failing));
  await until(async () => !breaker.refuses(), 'its time to be over');
  const call = await breaker.begin();
  expect(breaker.refuses()).toBe(true);
  call.end();
  await until(async () => !breaker.refuses(), 'the probe to have closed it');

  const patient = make().breaker;
  for (let i = 0; i < 5; i++) await codeOf(patient.run(failing));
  expect(patient.refuses()).toBe(true);
});
