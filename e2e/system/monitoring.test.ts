import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
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

test('every alert has a test in which it fires and one in which it is quiet, and is described', async () => {
  const page = await readFile(path.join(rootDir, 'docs/monitoring.md'), 'utf8');
  const rules = await readRules();
  const cases = ((await readYaml('rules/studymate.test.yml')).tests as RuleTest[]).flatMap(
    (each) => each.alert_rule_test,
  );
  const firing = cases.filter((each) => each.exp_alerts.length > 0).map((each) => each.alertname);
  const quiet = cases.filter((each) => each.exp_alerts.length === 0).map((each) => each.alertname);
  for (const { alert } of rules) {
    expect(firing, alert).toContain(alert);
    expect(quiet, alert).toContain(alert);
    expect(page).toMatch(new RegExp(`^\\|.*\`${alert}\`.*\\| (warning|critical)(, critical)? \\|$`, 'm'));
  }
});

/** Names of all metrics that the programs have, as Prometheus stores them. */
async function readKnownMetrics(): Promise<Set<string>> {
  const metrics = createMetrics({ app: 'test' });
  const text = await metrics.text();
  metrics.close();
  const known = new Set(['up']);
  for (const [, name = '', type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    if (type === 'histogram') for (const suffix of ['_bucket', '_count', '_sum']) known.add(name + suffix);
    else known.add(name);
  }
  return known;
}

/** Names stand before a selector or a range, or alone in a function; label lists come after by, on and without. */
function toMetricNames(expression: string): string[] {
  const bare = expression.replace(/\b(by|on|without)\s*\([^)]*\)/g, '').replace(/\{[^}]*\}|\[[^\]]*\]/g, '');
  return [...bare.matchAll(/\b[a-z_][a-z0-9_]+\b(?!\s*\()/g)]
    .map(([name]) => name)
    .filter((name) => !['and', 'or', 'unless'].includes(name));
}

const readRules = async (): Promise<Rule[]> =>
  (await readYaml('rules/studymate.rules.yml')).groups.flatMap((group: { rules: Rule[] }) => group.rules);

interface Panel {
  title: string;
  targets?: { expr: string }[];
}
async function readPanels(): Promise<Required<Panel>[]> {
  const dashboards = await readdir(ops('grafana/dashboards'));
  const all = await Promise.all(
    dashboards.map(async (file) => JSON.parse(await readFile(ops(`grafana/dashboards/${file}`), 'utf8')).panels),
  );
  return all.flat().filter((panel: Panel) => panel.targets !== undefined);
}

test('every metric that an alert or a panel asks for is one that the programs have', async () => {
  const known = await readKnownMetrics();
  const asked = [
    ...(await readRules()).map(({ alert, expr }) => [alert, expr] as const),
    ...(await readPanels()).flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
  ];
  for (const [where, expression] of asked) {
    const names = toMetricNames(expression);
    expect(names.length, where).toBeGreaterThan(0);
    for (const name of names) expect(known, where).toContain(name);
  }
});

test('the panels of the dashboard do not lie on each other, and ask the Prometheus that is set up beside it', async () => {
  const sources = (await readYaml('grafana/provisioning/datasources/prometheus.yml')).datasources;
  const places = new Set<string>();
  for (const panel of (await readPanels()) as (Panel & {
    datasource: { uid: string };
    gridPos: { x: number; y: number };
  })[]) {
    expect(panel.datasource.uid, panel.title).toBe(sources[0].uid);
    places.add(`${panel.gridPos.x} ${panel.gridPos.y}`);
  }
  expect(places.size).toBe((await readPanels()).length);
});

test.skipIf(!existsSync('/usr/bin/amtool'))(
  'amtool finds no fault in the example of Alertmanager (skipped without it), and it names alerts that there are',
  async () => {
    await run('amtool', ['check-config', ops('alertmanager.yml')]);
    const alerts = (await readRules()).map(({ alert }) => alert);
    const { inhibit_rules: inhibited } = await readYaml('alertmanager.yml');
    const text = JSON.stringify(inhibited);
    for (const [, names = ''] of text.matchAll(/alertname=~?\\"([^"\\]+)\\"/g)) {
      for (const name of names.split('|')) expect(alerts).toContain(name);
    }
  },
);

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
        // Queue and store, as each of the three finds them.
        expect(await prometheus.query('dependency_up == 1')).toHaveLength(6);
        expect(await prometheus.query('stage_failures_total{app="worker"} == 0')).toHaveLength(14);
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

  test('answers every question of the dashboard, most of them with figures; no label has very many values or names somebody', async () => {
    const panels = await readPanels();
    // Rates need two readings of the same counter.
    await vi.waitFor(
      async () => {
        const withFigures = new Set<string>();
        for (const { title, targets } of panels) {
          for (const { expr } of targets) if ((await prometheus.query(expr)).length > 0) withFigures.add(title);
        }
        // Nothing has stalled, and no breaker has opened: not everything has a figure.
        expect(withFigures.size).toBeGreaterThan(panels.length * 0.6);
      },
      { timeout: 60_000, interval: 500 },
    );

    const { data } = await prometheus.get('/api/v1/series?match[]={job=~"api|worker"}');
    const values = new Map<string, Set<string>>();
    for (const labels of data as unknown as Record<string, string>[]) {
      for (const [label, value] of Object.entries(labels)) {
        if (label !== '__name__') values.set(label, (values.get(label) ?? new Set()).add(value));
      }
    }
    for (const [label, of] of values) {
      expect(of.size, label).toBeLessThanOrEqual(101);
      // Ids of lectures, uploads and requests.
      for (const value of of) expect(value, label).not.toMatch(/[0-9a-z]{26}|[0-9a-f]{8}-[0-9a-f]{4}/);
    }
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
