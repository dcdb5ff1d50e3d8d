import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { waitUntilOk } from '../../../scripts/lib/api-client.mjs';
import { startChild } from '../../../scripts/lib/children.mjs';
import { freePorts } from '../../../scripts/lib/ports.mjs';
import { findProgram } from '../../../scripts/lib/system-programs.mjs';
import { rootDir } from '../../support/running-system.ts';
import { request, toJson } from './http.ts';

export interface Sample {
  metric: Record<string, string>;
  value: number;
}

export interface Prometheus {
  query(expression: string): Promise<Sample[]>;
  get(path: string): Promise<{ data: Record<string, unknown> }>;
  close(): Promise<void>;
}

/**
 * The real Prometheus with the project's own configuration and rules; only the addresses and the interval are others.
 * @param targets host:port by job
 */
export async function startPrometheus(targets: Record<string, string[]>): Promise<Prometheus> {
  const command = await findProgram('prometheus');
  if (command === null) throw new Error('prometheus is not installed; run: npm run test:system');
  const dir = await mkdtemp(path.join(tmpdir(), 'studymate-prometheus-'));
  const config = parse(await readFile(path.join(rootDir, 'ops/prometheus.yml'), 'utf8'));
  config.global = { scrape_interval: '1s', evaluation_interval: '1s' };
  // There is none beside it.
  config.alerting = undefined;
  config.rule_files = config.rule_files.map((file: string) => path.join(rootDir, 'ops', file));
  config.scrape_configs = config.scrape_configs.map(({ job_name }: { job_name: string }) => ({
    job_name,
    static_configs: [{ targets: targets[job_name] ?? [] }],
  }));
  const configPath = path.join(dir, 'prometheus.yml');
  await writeFile(configPath, stringify(config));

  const [port] = (await freePorts(1)) as [number];
  const log = await open(path.join(dir, 'prometheus.log'), 'w');
  const child = startChild({
    name: 'prometheus',
    command,
    args: [
      `--config.file=${configPath}`,
      `--storage.tsdb.path=${path.join(dir, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    output: log.fd,
  });
  await log.close();
  const baseUrl = `http://127.0.0.1:${port}`;
  const close = async () => {
    await child.stop();
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await waitUntilOk({ url: `${baseUrl}/-/ready`, child, timeoutMs: 120_000 });
  } catch (error) {
    const said = await readFile(path.join(dir, 'prometheus.log'), 'utf8');
    await close();
    throw new Error(`${error instanceof Error ? error.message : error}\n${said}`);
  }
  const get = async (target: string) => {
    const answer = await request(`${baseUrl}${target}`);
    if (answer.status !== 200) throw new Error(`Prometheus says ${answer.status}: ${answer.body}`);
    return toJson(answer);
  };
  return {
    get,
    async query(expression) {
      const { data } = await get(`/api/v1/query?query=${encodeURIComponent(expression)}`);
      return data.result.map((each: { metric: Record<string, string>; value: [number, string] }) => ({
        metric: each.metric,
        value: Number(each.value[1]),
      }));
    },
    close,
  };
}
