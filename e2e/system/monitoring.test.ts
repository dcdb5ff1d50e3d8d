import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { createClient } from '@studymate/client/client';
import { createMetrics } from '@studymate/observability/metrics';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { excerpt } from '../support/recordings.ts';
import { rootDir } from '../support/running-system.ts';
import { type Copies, startCopies } from './support/copies.ts';
import { type Prometheus, startPrometheus } from './support/prometheus.ts';

const run = promisify(execFile);
const ops = (file: string) => path.join(rootDir, 'ops', file);
const readYaml = async (file: string) => parse(await readFile(ops(file), 'utf8'));

interface Rule {
  alert: string;
  expr: string;
}
interface RuleTest {
  alert_rule_test: { alertname: string; exp_alerts: unknown[] }[];
}

test('promtool finds no fault in the configuration and the rules, and their tests pass', async () => {
  await run('promtool', ['check', 'config', ops('prometheus.yml')]);
  await run('promtool', ['test', 'rules', ops('rules/studymate.test.yml')]);
});

test('every alert has a test in which it fires and one in which it is quiet', async () => {
  const rules: Rule[] = (await readYaml('rules/studymate.rules.yml')).groups.flatMap(
    (group: { rules: Rule[] }) => group.rules,
  );
  const cases = ((await readYaml('rules/studymate.test.yml')).tests as RuleTest[]).flatMap(
    (each) => each.alert_rule_test,
  );
  const firing = cases.filter((each) => each.exp_alerts.length > 0).map((each) => each.alertname);
  const quiet = cases.filter((each) => each.exp_alerts.length === 0).map((each) => each.alertname);
  for (const { alert } of rules) {
    expect(firing, alert).toContain(alert);
    expect(quiet, alert).toContain(alert);
  }
});

test('every metric that an alert asks for is one that the programs have', async () => {
  const metrics = createMetrics({ app: 'test' });
  const text = await metrics.text();
  metrics.close();
  const known = new Set(['up']);
  for (const [, name = '', type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    if (type === 'histogram') for (const suffix of ['_bucket', '_count', '_sum']) known.add(name + suffix);
    else known.add(name);
  }
  const rules: Rule[] = (await readYaml('rules/studymate.rules.yml')).groups.flatMap(
    (group: { rules: Rule[] }) => group.rules,
  );
  for (const { alert, expr } of rules) {
    // Names of metrics stand before a selector or a range, or alone in a function; label lists come after by/on.
    const bare = expr.replace(/\b(by|on|without)\s*\([^)]*\)/g, '').replace(/\{[^}]*\}/g, '');
    const names = [...bare.matchAll(/[a-z_]{2,}(?![a-z_(]|\s*\()/g)]
      .map(([name]) => name)
      .filter((name) => !['and', 'or', 'unless', 'by', 'on'].includes(name));
    expect(names.length, alert).toBeGreaterThan(0);
    for (const name of names) expect(known, alert).toContain(name);
  }
});

describe('a Prometheus beside the running system', () => {
  let copies: Copies;
  let prometheus: Prometheus;
  beforeAll(async () => {
    copies = await startCopies({ apis: 2, worker: true });
    prometheus = await startPrometheus({
      api: copies.apis.map((api) => `127.0.0.1:${api.internalPort}`),
      worker: [`127.0.0.1:${copies.workerPort}`],
    });
  });
  afterAll(async () => {
    await prometheus?.close();
    await copies?.close();
  });

  test('sees starts, requests, stages, waits, depths and models after a lecture came through the gateway', async () => {
    const client = createClient({ baseUrl: copies.gateway.baseUrl });
    const { id } = await client.uploadLecture(await excerpt('excerpt.mp3', 10, 25));
    let last: string | undefined;
    for await (const { type } of client.followLecture(id)) last = type;
    expect(last).toBe('end');
    expect((await client.getLecture(id)).status).toBe('ready');

    const names = async (expression: string, label: string) =>
      new Set((await prometheus.query(expression)).map((sample) => sample.metric[label]));
    await vi.waitFor(
      async () => {
        expect(await prometheus.query('up == 1')).toHaveLength(3);
        expect(await prometheus.query('app_startup_seconds_count{app="api",phase="ready"}')).toHaveLength(2);
        expect(await prometheus.query('app_startup_seconds_count{app="worker",phase="ready"}')).toHaveLength(1);
        const uploads = await prometheus.query(
          'sum(http_request_duration_seconds_count{method="POST",route="/api/v1/lectures",status="202"})',
        );
        expect(uploads.map((sample) => sample.value)).toEqual([1]);
        expect(await names('stage_duration_seconds_count > 0', 'stage')).toEqual(
          new Set(['ingest', 'transcribe', 'assemble', 'chapters', 'topics', 'summary', 'flashcards']),
        );
        expect([...(await names('queue_wait_seconds_count > 0', 'queue'))]).toEqual(
          expect.arrayContaining(['ingest', 'transcribe', 'study']),
        );
        expect([...(await names('queue_depth{state="waiting"}', 'queue'))]).toEqual(
          expect.arrayContaining(['ingest', 'transcribe', 'study', 'quick']),
        );
        expect(await names('model_load_seconds_count > 0', 'family')).toEqual(new Set(['speech', 'text']));
        expect(await names('model_state{state="ready"} == 1', 'family')).toEqual(new Set(['speech', 'text']));
      },
      { timeout: 120_000, interval: 500 },
    );
  });

  test('evaluates every rule without an error and raises no alarm', async () => {
    await vi.waitFor(
      async () => {
        const { data } = await prometheus.get('/api/v1/rules');
        const rules = (data.groups as { rules: { name: string; health: string; state: string }[] }[]).flatMap(
          (group) => group.rules,
        );
        expect(rules.length).toBeGreaterThan(0);
        expect(rules.filter((rule) => rule.health !== 'ok')).toEqual([]);
        expect(rules.filter((rule) => rule.state === 'firing')).toEqual([]);
      },
      { timeout: 120_000, interval: 500 },
    );
  });
});
