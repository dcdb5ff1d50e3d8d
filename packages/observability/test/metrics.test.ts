import { afterEach, expect, test } from 'vitest';
import { createInternalServer, type InternalServer, type Readiness } from '../src/internal-server.ts';
import { createLogger } from '../src/logger.ts';
import { createMetrics } from '../src/metrics.ts';
import { createStartupClock } from '../src/startup-clock.ts';

/** Reads one sample of the text form, whatever the order of its labels is. */
function sample(text: string, name: string, labels: Record<string, string>): number | undefined {
  for (const line of text.split('\n')) {
    const [, lineName, labelText, value] = /^(\w+)\{(.*)\} (\S+)$/.exec(line) ?? [];
    if (lineName !== name) continue;
    const found = Object.fromEntries([...(labelText ?? '').matchAll(/(\w+)="([^"]*)"/g)].map((m) => [m[1], m[2]]));
    const same = Object.entries(labels).every(([label, wanted]) => found[label] === wanted);
    if (same && found.app === 'test') return Number(value);
  }
  return undefined;
}

let server: InternalServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

test('metrics: a start of 12 minutes, lands in a bucket of its own and not in +Inf alone', async () => {
  const metrics = createMetrics({ app: 'test' });
  metrics.observeStartup('ready', 720);
  const text = await metrics.text();
  expect(sample(text, 'app_startup_seconds_bucket', { le: '600', phase: 'ready' })).toBe(0);
  expect(sample(text, 'app_startup_seconds_bucket', { le: '1200', phase: 'ready' })).toBe(1);
});

test('metrics: many requests of a route, the first request is observed once for cold and once for warm', async () => {
  const metrics = createMetrics({ app: 'test' });
  for (const cold of [true, false, false, true]) metrics.observeFirstRequest({ route: '/x', cold, seconds: 1 });
  const text = await metrics.text();
  expect(sample(text, 'first_request_seconds_count', { route: '/x', cold: 'true' })).toBe(1);
  expect(sample(text, 'first_request_seconds_count', { route: '/x', cold: 'false' })).toBe(1);
});

test('metrics: more routes and methods than are bounded, the rest are counted as other', async () => {
  const metrics = createMetrics({ app: 'test' });
  for (let i = 0; i < 300; i++) metrics.observeHttp({ method: `M${i}`, route: `/r${i}`, status: 200, seconds: 0.01 });
  const text = await metrics.text();
  expect(text.match(/^http_request_duration_seconds_count/gm)).toHaveLength(101);
  expect(sample(text, 'http_request_duration_seconds_count', { method: 'other', route: 'other' })).toBe(200);
});

test('metrics: model states and warm requests, exactly one state is 1 and the cold series exists at 0', async () => {
  const metrics = createMetrics({ app: 'test' });
  metrics.setModelState('speech', 'loading');
  metrics.setModelState('speech', 'ready');
  metrics.countRequest('clip', false);
  const text = await metrics.text();
  expect(sample(text, 'model_state', { family: 'speech', state: 'ready' })).toBe(1);
  expect(text.match(/^model_state\{.*} 1$/gm)).toHaveLength(1);
  expect(sample(text, 'requests_cold_total', { kind: 'clip' })).toBe(0);
});

test('startup clock: a listener that comes late, hears the marks made before and after', () => {
  let nowMs = 100;
  const clock = createStartupClock(() => nowMs);
  clock.mark('config');
  const heard: string[] = [];
  clock.observe(({ phase, seconds }) => heard.push(`${phase} ${seconds}`));
  nowMs = 250;
  clock.mark('listening');
  clock.mark('listening');
  expect(heard).toEqual(['config 0.1', 'listening 0.25']);
  expect(clock.phases()).toEqual({ config: 0.1, listening: 0.25 });
});

test('logger: an error with a cause, is one JSON line with level name, ISO time and both messages', () => {
  const lines: string[] = [];
  const logger = createLogger({ level: 'info', name: 'test', destination: { write: (line) => lines.push(line) } });
  logger.debug('not shown');
  logger.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'failed');
  expect(lines).toHaveLength(1);
  const line = JSON.parse(lines[0] ?? '');
  expect(line).toMatchObject({ level: 'error', name: 'test', msg: 'failed', err: { cause: { message: 'inner' } } });
  expect(new Date(line.time).getTime()).toBeGreaterThan(0);
});

async function startServer(readiness: () => Promise<Readiness>): Promise<string> {
  const metrics = createMetrics({ app: 'test' });
  metrics.onScrape(async () => metrics.setQueueDepth('quick', 'waiting', 7));
  metrics.onScrape(() => Promise.reject(new Error('Redis is away')));
  server = await createInternalServer({ host: '127.0.0.1', port: 0, metrics, readiness, readinessTimeoutMs: 50 });
  return `http://127.0.0.1:${server.port}`;
}

test('internal server: a scrape, collects the gauges first and survives a collector that fails', async () => {
  const base = await startServer(async () => ({ ready: true }));
  const response = await fetch(`${base}/metrics`);
  expect(response.headers.get('content-type')).toContain('text/plain');
  expect(sample(await response.text(), 'queue_depth', { queue: 'quick', state: 'waiting' })).toBe(7);
});

test.each([
  ['ready parts', async () => ({ ready: true, redis: 'ok' }), 200, { status: 'ready', redis: 'ok' }],
  ['a part that is not', async () => ({ ready: false, redis: 'down' }), 503, { status: 'not_ready', redis: 'down' }],
  ['a check that fails', () => Promise.reject(new Error('no')), 503, { status: 'not_ready', reason: 'no' }],
  ['a check that hangs', () => new Promise<Readiness>(() => {}), 503, { status: 'not_ready' }],
] as const)('internal server: readiness with %s, has a status code of its own', async (_, readiness, status, body) => {
  const base = await startServer(readiness as () => Promise<Readiness>);
  const response = await fetch(`${base}/health/ready`);
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject(body);
  expect((await fetch(`${base}/health/live`)).status).toBe(200);
  expect((await fetch(`${base}/other`)).status).toBe(404);
});

test('internal server: the port is taken, fails with an error that says so', async () => {
  await startServer(async () => ({ ready: true }));
  const metrics = createMetrics({ app: 'test' });
  const second = createInternalServer({
    host: '127.0.0.1',
    port: server?.port ?? 0,
    metrics,
    readiness: async () => ({ ready: true }),
  });
  await expect(second).rejects.toThrow('EADDRINUSE');
});
