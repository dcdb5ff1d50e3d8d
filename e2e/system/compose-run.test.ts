import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createClient } from '@studymate/client/client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { samplePath } from '../support/recordings.ts';
import { until } from '../support/until.ts';
import { baseImages, makeBaseImages } from './support/base-images.ts';
import { type DockerEngine, startDockerEngine, whyNoEngine } from './support/docker-engine.ts';
import { request } from './support/http.ts';

let dir: string;
let engine: DockerEngine | null = null;
/** What keeps it from being built and run here. */
let obstacle: string | null = null;

describe('docker-compose.yml, built and run', () => {
  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'studymate-docker-'));
    try {
      obstacle = await whyNoEngine(dir);
      if (obstacle !== null) return;
      // One that reaches the package registries.
      engine = await startDockerEngine(dir, 'host');
      const context = path.join(dir, 'base-images');
      await mkdir(context);
      await makeBaseImages(engine, context, ['debian', 'redis', 'node']);
      await engine.docker(['run', '--rm', '--network=none', baseImages.debian, 'true']);
    } catch (error) {
      obstacle = `${error}`;
    } finally {
      if (obstacle !== null) console.warn(`docker-compose.yml is not built and run: ${obstacle}`);
    }
  }, 30 * 60_000);
  afterAll(async () => {
    await engine?.close();
    await rm(dir, { recursive: true, force: true });
  }, 10 * 60_000);
  beforeEach(({ skip }) => {
    if (obstacle !== null) skip(obstacle);
  });

  const running = () => {
    if (engine === null) throw new Error('the engine does not run');
    return engine;
  };
  const compose = (...args: string[]) => running().compose(['--project-name', 'studymate', ...args]);
  /** What Docker knows of the project's running containers, by service and number: `api-1 1`, `worker 2`. */
  const inspectAll = async () => {
    const ids = (await running().docker(['ps', '--quiet'])).split('\n').filter(Boolean);
    const all = JSON.parse(await running().docker(['inspect', ...ids])) as Container[];
    const label = (each: Container, name: string) => each.Config.Labels[`com.docker.compose.${name}`];
    return new Map(all.map((each) => [`${label(each, 'service')} ${label(each, 'container-number')}`, each]));
  };
  const untilHealthy = (names: string[]) =>
    until(
      `healthy containers: ${names}`,
      async () => {
        const all = await inspectAll();
        return names.every((name) => all.get(name)?.State.Health?.Status === 'healthy') && all;
      },
      { timeoutMs: 180_000, everyMs: 250 },
    );
  const names = ['redis 1', 'cache 1', 'api-1 1', 'api-2 1', 'api-3 1', 'worker 1', 'nginx 1'];
  let baseUrl: string;

  test('all images are built, without what only builds need; that of the API without machine learning', {
    timeout: 15 * 60_000,
  }, async () => {
    const override = path.join(dir, 'build.yml');
    const build = { build: { network: 'host' } };
    await writeFile(override, stringify({ services: { 'api-1': build, worker: build, nginx: build } }));
    await compose('--file', 'docker-compose.yml', '--file', override, 'build', '--parallel');
    await running().close();
    engine = await startDockerEngine(dir, 'own');

    const modulesOf = async (image: string) =>
      (await running().docker(['run', '--rm', '--network=none', image, 'ls', '/app/node_modules'])).split('\n');
    const api = await modulesOf('studymate/api:0.1.0');
    const worker = await modulesOf('studymate/worker:0.1.0');
    expect(worker).toContain('onnxruntime-node');
    for (const name of ['onnxruntime-node', '@huggingface']) expect(api).not.toContain(name);
    for (const name of ['esbuild', 'typescript', 'vite', 'vitest', '@biomejs']) {
      expect([...api, ...worker]).not.toContain(name);
    }
  });

  test('everything comes up healthy, and the page is there', async () => {
    await compose('up', '--detach');
    await untilHealthy(names);
    baseUrl = `http://${await running().forward(8080)}`;
    const page = await request(`${baseUrl}/`);
    expect(page.status).toBe(200);
    expect(page.body.toString()).toContain('<title>');
  });

  test('no container has rights or writes to its system; the gateway alone can be reached and has a way out', async () => {
    const internal = ['network', 'inspect', '--format', '{{.Internal}}'];
    expect((await running().docker([...internal, 'studymate_backend', 'studymate_edge'])).trim()).toBe('true\nfalse');
    for (const [name, { Id, HostConfig, NetworkSettings }] of await inspectAll()) {
      const look = 'touch /probe 2>&1; cat /proc/1/status';
      const said = await running().docker(['exec', Id, 'sh', '-c', look]);
      expect(said, name).toContain('Read-only file system');
      expect(said, name).toMatch(/^Uid:\t(?!0\t)/m);
      expect(said, name).toMatch(/^CapBnd:\t0+$/m);
      expect(said, name).toMatch(/^NoNewPrivs:\t1$/m);
      const { Networks } = NetworkSettings;
      expect(Object.keys(Networks).sort(), name).toEqual(
        name === 'nginx 1' ? ['studymate_backend', 'studymate_edge'] : ['studymate_backend'],
      );
      const published = Object.values(HostConfig.PortBindings ?? {}).flat();
      expect(published, name).toEqual(name === 'nginx 1' ? [{ HostIp: '127.0.0.1', HostPort: '8080' }] : []);
    }
  });

  test('the sample lecture becomes a study set through the gateway', async () => {
    const client = createClient({ baseUrl });
    const { id } = await client.uploadLecture(new File([await readFile(samplePath)], 'printing.mp3'));
    const types: string[] = [];
    for await (const { type } of client.followLecture(id)) types.push(type);
    expect(types).toContain('segments');
    expect(types.at(-1)).toBe('end');
    expect(await client.getLecture(id)).toMatchObject({ status: 'ready', language: 'en', warnings: [] });
    expect((await client.getTranscript(id)).text).toMatch(/movable metal letters/i);
    expect((await client.getFlashcards(id)).length).toBeGreaterThan(0);
    expect((await client.getSummary(id)).statements.length).toBeGreaterThan(0);
  });

  test('two workers by --scale; the operator’s command finds both, and nothing wrong', async () => {
    await compose('up', '--detach', '--no-recreate', '--scale', 'worker=2');
    await untilHealthy([...names, 'worker 2']);
    const said = await compose('exec', '-T', 'worker', 'node', 'apps/cli/dist/main.js', 'doctor', '--json');
    const { ok, findings } = JSON.parse(said) as { ok: boolean; findings: { name: string; message: string }[] };
    expect(ok).toBe(true);
    expect(findings.find(({ name }) => name === 'workers')?.message).toMatch(/^2 connected/);
  });

  test('a copy of the API that stops: no read fails; the gateway starts without it and finds it again at another address', async () => {
    const before = await inspectAll();
    const addressOf = (all: Map<string, Container>, name: string) =>
      all.get(name)?.NetworkSettings.Networks.studymate_backend?.IPAddress;
    const reads: number[] = [];
    let stopped = false;
    const reading = (async () => {
      while (!stopped) {
        const read = request(`${baseUrl}/health/ready`).then(
          ({ status }) => status,
          () => 0,
        );
        reads.push(await read);
      }
    })();
    await compose('stop', 'api-2');
    stopped = true;
    await reading;
    expect(reads.length).toBeGreaterThan(5);
    expect(new Set(reads)).toEqual(new Set([200]));

    // Somebody else takes the address that it had.
    await compose('up', '--detach', '--no-recreate', '--scale', 'worker=3', 'worker');
    const moved = addressOf(await inspectAll(), 'worker 3');
    expect(moved).toBe(addressOf(before, 'api-2 1'));
    await compose('restart', 'nginx');
    await untilHealthy(['nginx 1']);
    expect((await request(`${baseUrl}/health/ready`)).status).toBe(200);

    await compose('start', 'api-2');
    await untilHealthy(['api-2 1']);
    const address = addressOf(await inspectAll(), 'api-2 1');
    expect(address).not.toBe(moved);
    const nginx = before.get('nginx 1')?.Id ?? '';
    await until(
      'an answer of the copy that has moved',
      async () => {
        await request(`${baseUrl}/api/v1/models/status`);
        return (await running().docker(['logs', nginx])).includes(`"upstream":"${address}:3000"`);
      },
      { everyMs: 500 },
    );
  });

  test('down takes everything away', async () => {
    await compose('down', '--volumes', '--timeout', '20');
    for (const what of [
      ['ps', '--all', '--quiet'],
      ['volume', 'ls', '--quiet'],
      ['network', 'ls', '--quiet', '--filter', 'driver=bridge'],
    ]) {
      expect(await running().docker(what), what.join(' ')).toBe('');
    }
  });
});

interface Container {
  Id: string;
  Config: { Labels: Record<string, string> };
  State: { Health?: { Status: string } };
  HostConfig: { PortBindings: Record<string, { HostIp: string; HostPort: string }[]> | null };
  NetworkSettings: { Networks: Record<string, { IPAddress: string }> };
}
