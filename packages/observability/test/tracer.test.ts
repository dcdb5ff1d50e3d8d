import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { AppError } from '@studymate/contracts/errors';
import type { CollectorPlace } from '@studymate/contracts/places';
import { afterEach, expect, test } from 'vitest';
import { createTracer, noTracer } from '../src/tracer.ts';
import { startCollector } from './support/collector.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(endpoint: string, changes: Partial<CollectorPlace> = {}) {
  const told: string[] = [];
  const place = { endpoint, headers: {}, serviceName: null, sampler: 'parentbased_always_on', sampleRatio: 1 } as const;
  const tracer = await createTracer({
    collector: { ...place, ...changes },
    service: 'api',
    onTrouble: () => told.push('trouble'),
    onBack: () => told.push('back'),
  });
  closers.push(() => tracer.close());
  return { tracer, told };
}

async function collect(changes: Partial<CollectorPlace> = {}) {
  const collector = await startCollector();
  closers.push(() => collector.close());
  return { collector, ...(await start(collector.url, changes)) };
}

const caller = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
const traceparent = `00-${caller.traceId}-${caller.spanId}-01`;

test('without a collector: work is done, and there is nothing to name or to close', async () => {
  const tracer = await createTracer({ collector: null, service: 'api', onTrouble() {}, onBack() {} });
  expect(tracer).toBe(noTracer);
  expect(await tracer.span('work', {}, async (span) => [span.traceId, tracer.traceparent()])).toEqual([
    undefined,
    undefined,
  ]);
  await tracer.close();
});

test('spans: below the caller, below each other across waits, of both kinds of process, with the code of a failure', async () => {
  const { collector, tracer } = await collect({ headers: { 'api-key': 'k' } });
  const handed: unknown[] = [];
  await tracer.span('outer', { kind: 'server', parent: traceparent, attributes: { route: '/x' } }, async () => {
    await new Promise((resolve) => setImmediate(resolve));
    tracer.start('inference', { isOfModel: true, startedAtMs: 1_000 }).end(3_000);
    handed.push(tracer.traceId(), tracer.traceparent());
    await tracer
      .span('inner', {}, () => Promise.reject(new AppError('model_crashed', 'said by somebody')))
      .catch(() => {});
  });
  await tracer.close();
  const [outer, inference, inner] = ['outer', 'inference', 'inner'].map((name) =>
    collector.spans.find((span) => span.name === name),
  );
  expect(outer).toMatchObject({
    service: 'studymate-api',
    traceId: caller.traceId,
    parentSpanId: caller.spanId,
    attributes: { route: '/x' },
    isFailed: false,
  });
  expect(inference).toMatchObject({ service: 'studymate-model', parentSpanId: outer?.spanId, startMs: 1_000 });
  expect(inference?.endMs).toBe(3_000);
  expect(inner).toMatchObject({ parentSpanId: outer?.spanId, isFailed: true });
  expect(inner?.attributes).toEqual({ 'error.type': 'model_crashed' });
  expect(handed).toEqual([caller.traceId, `00-${caller.traceId}-${outer?.spanId}-01`]);
  expect(collector.headers()).toMatchObject({ 'api-key': 'k' });
  expect(JSON.stringify(collector.spans)).not.toContain('said by somebody');
});

test.each(['', 'x', `00-${'0'.repeat(32)}-${caller.spanId}-01`, `ff-${caller.traceId}-${caller.spanId}-01`])(
  'a traceparent that is none (%o): a trace of its own begins',
  async (parent) => {
    const { collector, tracer } = await collect();
    tracer.start('work', { parent }).end();
    await tracer.close();
    expect(collector.spans).toMatchObject([{ name: 'work', parentSpanId: '' }]);
    expect(collector.spans[0]?.traceId).toMatch(/^[0-9a-f]{32}$/);
  },
);

test('sampling: what the caller does not keep is not sent, also by those further on; by ratio 0 nothing is begun', async () => {
  const { collector, tracer } = await collect({
    sampler: 'parentbased_traceidratio',
    sampleRatio: 0,
    serviceName: 's',
  });
  const handed = await tracer.span('mine', {}, async () => tracer.traceparent());
  expect(handed).toMatch(/-00$/);
  await tracer.span('theirs', { parent: handed }, async () => {});
  await tracer.span('kept', { parent: traceparent }, async () => {});
  await tracer.close();
  expect(collector.spans.map(({ name, service }) => [name, service])).toEqual([['kept', 's']]);
});

test('a collector that is not there: work goes on, it is said once, and again when it is back', async () => {
  // Below the ports that systems give away: no other test has it while the collector is away.
  const port = randomInt(20_000, 30_000);
  const { tracer, told } = await start(`http://127.0.0.1:${port}`);
  // Far more than may wait: the rest is dropped at once.
  for (let i = 0; i < 10_000; i++) await tracer.span('work', {}, async () => {});
  await until(() => told.length > 0);
  const back = await startCollector({ port });
  closers.push(() => back.close());
  await until(() => {
    tracer.start('work').end();
    return told.length > 1;
  });
  expect(told).toEqual(['trouble', 'back']);
  expect(back.spans.length).toBeLessThan(5_000);
});

test('a collector that takes and says nothing: closing ends all the same', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  closers.push(() => silent.close());
  const { port } = silent.address() as { port: number };
  const { tracer } = await start(`http://127.0.0.1:${port}`);
  tracer.start('work').end();
  const startMs = performance.now();
  await tracer.close();
  expect(performance.now() - startMs).toBeLessThan(4_500);
});

async function until(isSo: () => boolean): Promise<void> {
  const endMs = performance.now() + 60_000;
  while (!isSo()) {
    if (performance.now() > endMs) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
