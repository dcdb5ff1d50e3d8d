import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseConfig } from '@studymate/config/config';
import { type SettingName, settings } from '@studymate/config/settings';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { rootDir } from '../support/running-system.ts';

interface Service {
  image?: string;
  pull_policy?: string;
  build?: { context: string; dockerfile?: string; args?: Record<string, string> };
  user?: string;
  command?: string[];
  environment?: Record<string, string>;
  ports?: string[];
  networks?: string[];
  volumes?: string[];
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  depends_on?: Record<string, { condition: string }>;
  stop_grace_period?: string;
  logging?: { driver: string; options: Record<string, string> };
}

const read = (file: string) => readFile(path.join(rootDir, file), 'utf8');
const composeText = await read('docker-compose.yml');
/** `${NAME:-default}` as compose fills it in when nothing is set: after parsing, so that every value stays a text. */
const withDefaults = (_key: string, value: unknown) =>
  typeof value === 'string' ? value.replace(/\$\{(\w+):-([^}]*)\}/g, '$2') : value;
const compose = JSON.parse(JSON.stringify(parse(composeText, { merge: true })), withDefaults) as {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean }>;
  volumes: Record<string, unknown>;
};
const services = Object.entries(compose.services);
const apiNames = Object.keys(compose.services).filter((name) => name.startsWith('api-'));
const service = (name: string): Service => {
  const found = compose.services[name];
  if (!found) throw new Error(`docker-compose.yml has no service ${name}`);
  return found;
};
const seconds = (text = '') => Number(/^(\d+)s$/.exec(text)?.[1]);

test('three API copies and a worker are configured by settings that exist and are valid', () => {
  expect(apiNames).toHaveLength(3);
  for (const name of [...apiNames, 'worker']) {
    const { environment = {} } = service(name);
    for (const key of Object.keys(environment)) expect([...Object.keys(settings), 'TZ'], name).toContain(key);
    const config = parseConfig(environment, '/app');
    expect(config.redis.url).toBe('redis://redis:6379');
    expect(config.cache.redis?.url).toBe('redis://cache:6379');
    expect(config.dataDir).toBe('/data');
    expect(seconds(service(name).stop_grace_period)).toBeGreaterThan(config.shutdownTimeoutMs / 1000);
    expect(service(name).volumes).toContain('data:/data');
  }
});

/** What the file decides: where things lie and listen. */
const decided =
  /^(PORT|HOST|(WORKER_)?INTERNAL_\w+|ALLOW_ANONYMOUS|DATA_DIR|(CACHE_)?REDIS_\w+|QUEUE_PREFIX|SHUTDOWN_\w+)$/;
/** Paths within the image. */
const ofTheImage = /^(FFMPEG_PATH|FFPROBE_PATH|MODELS_DIR|MODEL_CACHE_DIR)$/;

test('a setting in .env reaches whom it is for, unless the file or the image decides it', () => {
  for (const name of Object.keys(settings).filter((each) => !decided.test(each) && !ofTheImage.test(each))) {
    expect(composeText, name).toContain(` ${name}: \${${name}:-`);
  }
});

test('a default that compose repeats is the default of the setting', () => {
  const repeated = [...composeText.matchAll(/^ {4,6}\w+: \$\{(\w+):-([^}]*)\}$/gm)].filter(([, name = '']) =>
    Object.hasOwn(settings, name),
  );
  expect(repeated.length).toBeGreaterThan(4);
  for (const [, name = '', fallback] of repeated) {
    expect(fallback, name).toBe(settings[name as SettingName].default);
  }
});

test('the gateway and Prometheus ask the API copies and the worker where they listen', async () => {
  const configs = new Map(
    apiNames.map((name) => [name, parseConfig(service(name).environment ?? {}, '/app').api] as const),
  );
  const { environment: gateway = {} } = service('nginx');
  expect(gateway.API_SERVERS?.split(' ')).toEqual(apiNames.map((name) => `${name}:${configs.get(name)?.port}`));
  const prometheus = parse(await read('ops/prometheus.yml'));
  const job = (name: string) => prometheus.scrape_configs.find((each: { job_name: string }) => each.job_name === name);
  expect(job('api').static_configs[0].targets).toEqual(
    apiNames.map((name) => `${name}:${configs.get(name)?.internalPort}`),
  );
  const { worker } = parseConfig(service('worker').environment ?? {}, '/app');
  expect(job('worker').dns_sd_configs[0]).toMatchObject({ names: ['worker'], port: worker.internalPort });
  for (const internalHost of [...[...configs.values()].map((each) => each.internalHost), worker.internalHost]) {
    expect(internalHost).toBe('0.0.0.0');
  }
});

test('only the gateway and what monitors can be reached, from this machine alone; nothing else has a way out', () => {
  expect(compose.networks.backend?.internal).toBe(true);
  for (const [name, { ports = [], networks }] of services) {
    if (['nginx', 'prometheus', 'alertmanager', 'grafana'].includes(name)) {
      for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
      expect(ports).toHaveLength(1);
    } else {
      expect(ports, name).toEqual([]);
      expect(networks, name).toEqual(['backend']);
    }
  }
});

test('every container runs without rights on a read-only system, from an image with a version', async () => {
  for (const [name, each] of services) {
    expect(each.read_only, name).toBe(true);
    expect(each.cap_drop, name).toEqual(['ALL']);
    expect(each.security_opt, name).toEqual(['no-new-privileges:true']);
    // Each line of a log that has no end takes room from the recordings.
    expect(each.logging, name).toEqual({ driver: 'json-file', options: { 'max-size': '10m', 'max-file': '5' } });
    expect(each.image, name).toMatch(/:(?!latest)[\w.-]*\d[\w.-]*$/);
    if (!each.build) continue;
    const file = each.build.dockerfile ?? path.join(each.build.context, 'Dockerfile');
    const lines = (await read(file)).split('\n');
    const from = lines.filter((line) => line.startsWith('FROM '));
    const users = lines.slice(lines.lastIndexOf(from.at(-1) ?? '')).filter((line) => line.startsWith('USER '));
    expect(users.at(-1), file).toMatch(/^USER (node|www-data)$/);
    // A base image may be replaced, and what compose gives is what the file itself would take.
    for (const [arg, value] of Object.entries(each.build.args ?? {}))
      expect(lines, file).toContain(`ARG ${arg}=${value}`);
    for (const line of from) expect(line, file).toMatch(/^FROM \$\{\w+_IMAGE\}( AS [\w-]+)?$/);
    // Health checks come with the image.
    expect(
      lines.some((line) => line.startsWith('HEALTHCHECK ')),
      file,
    ).toBe(true);
  }
  // Images of others that would start as root.
  for (const name of ['redis', 'cache']) expect(service(name).user).toBe('redis');
});

test('an image of ours is built by one service, and asked of no registry', () => {
  const ours = services.filter(([, each]) => each.image?.startsWith('studymate/'));
  const builds = ours.filter(([, each]) => each.build).map(([, each]) => each.image);
  expect(builds.sort()).toEqual([...new Set(ours.map(([, each]) => each.image))].sort());
  for (const [name, each] of ours) expect(each.pull_policy, name).toBe('never');
});

test('what the images copy from the checkout is there and not kept out by .dockerignore', async () => {
  const kept = (await read('.dockerignore')).split('\n').filter((line) => line.startsWith('!'));
  for (const file of ['apps/api/Dockerfile', 'apps/worker/Dockerfile']) {
    for (const [, sources = ''] of (await read(file)).matchAll(/^COPY (?!--from)(.+) \S+$/gm)) {
      for (const source of sources.split(' ')) {
        await access(path.join(rootDir, source));
        expect(kept, `${file}: ${source}`).toContain(`!${source.split('/')[0]}`);
      }
    }
  }
});

test('the Redis of the queue keeps its data and never drops a key; that of the cache makes room', () => {
  const { command = [], volumes } = service('redis');
  const option = (name: string) => command[command.indexOf(name) + 1];
  expect(option('--maxmemory-policy')).toBe('noeviction');
  expect(option('--maxmemory')).toMatch(/^\d+gb$/);
  expect(option('--appendonly')).toBe('yes');
  expect(volumes).toEqual(['redis:/data']);
  const cache = service('cache').command ?? [];
  expect(cache[cache.indexOf('--maxmemory-policy') + 1]).toBe('allkeys-lru');
  expect(Object.keys(compose.volumes)).toEqual(expect.arrayContaining(['data', 'redis', 'prometheus']));
});

test('Prometheus, Alertmanager and Grafana ask each other where they listen, with files that are there', async () => {
  const prometheus = parse(await read('ops/prometheus.yml'));
  expect(prometheus.alerting.alertmanagers[0].static_configs[0].targets).toEqual(['alertmanager:9093']);
  const { datasources } = parse(await read('ops/grafana/provisioning/datasources/prometheus.yml'));
  expect(datasources[0].url).toBe('http://prometheus:9090');
  const { providers } = parse(await read('ops/grafana/provisioning/dashboards/studymate.yml'));
  const mounts = [...(service('grafana').volumes ?? []), ...(service('alertmanager').volumes ?? [])];
  expect(mounts.some((mount) => mount.includes(`:${providers[0].options.path}:`))).toBe(true);
  for (const mount of mounts.filter((each) => each.startsWith('./'))) {
    await access(path.join(rootDir, mount.split(':')[0] ?? ''));
  }
});
