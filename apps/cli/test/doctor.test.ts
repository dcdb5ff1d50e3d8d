import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import path from 'node:path';
import { createModelFleet } from '@studymate/queue/model-fleet';
import { createKeyStore } from '@studymate/storage/key-store';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Finding, runCheck } from '../src/doctor/check.ts';
import { judgeDecoders } from '../src/doctor/media-check.ts';
import { judgeRedis, parseInfo } from '../src/doctor/redis-check.ts';
import { checkNode } from '../src/doctor/settings-check.ts';
import { judgeSpace } from '../src/doctor/store-check.ts';
import { cli } from './support/cli.ts';
import { addLecture, finished, openTestStore, summaryFailed, type TestStore } from './support/store.ts';

const modelsDir = path.resolve(import.meta.dirname, '../../../models');

/** "state name" of each finding that is not ok. */
const troubles = (findings: Finding[]) =>
  findings.filter(({ state }) => state !== 'ok').map(({ state, name }) => `${state} ${name}`);

describe('judgeRedis', () => {
  const good = {
    redis_version: '7.2.4',
    maxmemory_policy: 'noeviction',
    maxmemory: '0',
    used_memory: '1000',
    role: 'master',
    loading: '0',
    aof_enabled: '1',
    aof_last_write_status: 'ok',
    rdb_last_bgsave_status: 'ok',
  };

  test('a Redis as it should be: all ok', () => {
    expect(troubles(judgeRedis(good, 'h:1', 1))).toEqual([]);
  });

  test.each([
    [{ redis_version: '6.0.9' }, ['failure redis'], 'Redis 6.2'],
    [{ maxmemory_policy: 'allkeys-lru' }, ['failure redis'], 'noeviction'],
    [{ maxmemory: '1000', used_memory: '950' }, ['failure redis'], '95 %'],
    [{ role: 'slave' }, ['failure redis'], 'primary'],
    [{ loading: '1' }, ['failure redis'], 'reading its data'],
    [{ aof_enabled: '0' }, ['warning redis'], 'appendonly yes'],
    [{ aof_last_write_status: 'err' }, ['failure redis'], 'append-only'],
    [{ rdb_last_bgsave_status: 'err' }, ['failure redis'], 'snapshot'],
  ])('%j: %j, and what would help', (changes, expected, told) => {
    const findings = judgeRedis({ ...good, ...changes }, 'h:1', 1);
    expect(troubles(findings)).toEqual(expected);
    const [trouble] = findings.filter(({ state }) => state !== 'ok');
    expect(`${trouble?.message} ${trouble?.fix}`).toContain(told);
  });

  test('parseInfo reads the lines of INFO, values with colons too', () => {
    expect(parseInfo('# Server\r\nredis_version:7.2.4\r\n\r\nexecutable:/a:b\r\n')).toEqual({
      redis_version: '7.2.4',
      executable: '/a:b',
    });
  });
});

test.each([
  ['20.19.0', 'ok'],
  ['24.1.0', 'ok'],
  ['20.18.9', 'failure'],
  ['18.20.0', 'failure'],
])('Node %s: %s', (version, state) => {
  expect(checkNode(version).state).toBe(state);
});

test.each([
  [{ bavail: 2 ** 21, files: 1e6, ffree: 1e6 }, []],
  [{ bavail: 2 ** 19, files: 1e6, ffree: 1e6 }, ['warning store']],
  [{ bavail: 2 ** 10, files: 1e6, ffree: 1e6 }, ['failure store']],
  [{ bavail: 2 ** 21, files: 1e6, ffree: 10 }, ['failure store']],
  [{ bavail: 2 ** 21, files: 0, ffree: 0 }, []],
])('a disk with blocks of 4 KiB, uploads up to 4 GiB, and %j: %j', (fs, expected) => {
  expect(troubles(judgeSpace({ bsize: 4096, ...fs }, 2 ** 32))).toEqual(expected);
});

test('an ffmpeg without a decoder of usual recordings: a warning that names it', () => {
  const line = (name: string) => ` A....D ${name}      Something`;
  const names = ['aac', 'mp3float', 'libopus', 'vorbis', 'flac', 'alac'];
  expect(judgeDecoders(names.map(line).join('\n')).state).toBe('ok');
  const without = judgeDecoders(
    names
      .filter((name) => name !== 'mp3float')
      .map(line)
      .join('\n'),
  );
  expect(without).toMatchObject({ state: 'warning', message: 'has no decoder for mp3' });
});

test('a check that throws, or does not end: a failure with its reason and what to do', async () => {
  const thrown = await runCheck({ name: 'x', fix: 'do it', run: () => Promise.reject(new Error('broken')) });
  expect(thrown).toEqual([{ name: 'x', state: 'failure', message: 'broken', fix: 'do it' }]);
  const [late] = await runCheck({ name: 'x', fix: 'do it', run: () => new Promise(() => {}) }, 5);
  expect(late).toMatchObject({ state: 'failure', message: expect.stringContaining('no answer') });
});

describe('doctor', () => {
  let store: TestStore;
  let env: Record<string, string>;
  beforeEach(async () => {
    store = await openTestStore();
    // Nothing of this machine's own ports.
    env = { ...store.env, PORT: '0', INTERNAL_PORT: '0', WORKER_INTERNAL_PORT: '0', MAX_UPLOAD_BYTES: '1000' };
    // Small ones: the real weights are read in the tests that are about them.
    const small = path.join(store.dir, 'small-models');
    for (const name of ['whisper-base', 'silero-vad', 'all-MiniLM-L6-v2']) {
      await mkdir(path.join(small, name), { recursive: true });
      await writeFile(path.join(small, name, 'config.json'), '{}');
      const sum = createHash('sha256').update('{}').digest('hex');
      await writeFile(path.join(small, name, 'SHA256SUMS'), `${sum}  config.json\n`);
    }
    env.MODELS_DIR = small;
  });
  afterEach(() => store.close());

  const examine = async (changes: Record<string, string> = {}) => {
    const { status, out } = await cli(['doctor', '--json'], { ...env, ...changes });
    const { ok, findings } = JSON.parse(out) as { ok: boolean; findings: Finding[] };
    expect(status).toBe(ok ? 0 : 1);
    return { status, findings, troubles: troubles(findings).filter((trouble) => !machines.has(trouble)) };
  };
  /** What differs from one machine that runs the tests to the next: their Redis need not keep its data. */
  const machines = new Set(['warning redis', 'warning ffmpeg']);
  /** There is no worker here. */
  const expected = ['warning workers'];

  test('everything as it should be: no failure, status 0, one line each', async () => {
    await addLecture(store, finished);
    delete env.MODELS_DIR;
    const found = await examine();
    expect(found).toMatchObject({ status: 0, troubles: expected });
    const text = await cli(['doctor'], env);
    expect(text.status).toBe(0);
    expect(text.out.split('\n')).toHaveLength(found.findings.length + 1);
    expect(text.out).toMatch(/^ok {7}weights {3}whisper-base as it should be$/m);
  });

  test('settings with mistakes: each is a failure, and nothing else is looked at', async () => {
    const found = await examine({ PORT: 'eighty', LOG_LEVEL: 'loud' });
    expect(found.troubles).toEqual(['failure settings', 'failure settings']);
  });

  test('Redis away: that is the failure, and store, ffmpeg and weights are looked at all the same', async () => {
    const found = await examine({ REDIS_URL: 'redis://:secret@127.0.0.1:1' });
    expect(found.troubles).toEqual(['failure redis']);
    expect(found.findings.filter(({ name }) => name === 'weights')).toHaveLength(3);
    expect(JSON.stringify(found.findings)).not.toContain('secret');
  });

  test('a store that is a file: a failure; one that is not there: a warning, and it is not made', async () => {
    const file = path.join(store.dir, 'file');
    await writeFile(file, '');
    expect((await examine({ DATA_DIR: file })).troubles).toContain('failure store');
    const missing = path.join(store.dir, 'missing');
    const text = await examine({ DATA_DIR: missing });
    expect(text).toMatchObject({ status: 0, troubles: ['warning store', ...expected] });
    expect((await examine({ DATA_DIR: missing })).troubles).toContain('warning store');
  });

  test('a folder of the store that is a link to elsewhere: a failure', async () => {
    await mkdir(path.join(store.dir, 'elsewhere'));
    await symlink(path.join(store.dir, 'elsewhere'), path.join(store.dir, 'media'));
    expect((await examine()).troubles).toEqual(['failure store', ...expected]);
  });

  test('files that were never finished: a warning with their number', async () => {
    const file = path.join(store.dir, '~tmp', 'left');
    await writeFile(file, 'abc');
    const old = new Date(Date.now() - 3 * 3_600_000);
    await utimes(file, old, old);
    const { findings } = await examine();
    expect(findings).toContainEqual(
      expect.objectContaining({
        name: 'store',
        state: 'warning',
        message: expect.stringMatching(/^1 unfinished .*3 h old$/),
      }),
    );
  });

  test('no ffmpeg: a failure that names the setting', async () => {
    const { findings } = await examine({ FFMPEG_PATH: '/nowhere/ffmpeg' });
    expect(findings).toContainEqual(
      expect.objectContaining({ name: 'ffmpeg', state: 'failure', fix: expect.stringContaining('FFMPEG_PATH') }),
    );
  });

  test('weights that are damaged or missing: a failure for each', async () => {
    const own = path.join(store.dir, 'own-models');
    await cp(path.join(modelsDir, 'silero-vad'), path.join(own, 'silero-vad'), { recursive: true });
    await writeFile(path.join(own, 'silero-vad', 'silero_vad.onnx'), 'no weights');
    const { findings } = await examine({ MODELS_DIR: own, WHISPER_MODEL: 'whisper-none' });
    const weights = findings.filter(({ name }) => name === 'weights');
    expect(weights.map(({ state }) => state)).toEqual(['failure', 'failure', 'ok']);
    expect(weights[1]?.message).toContain('is damaged');
    await rm(own, { recursive: true });
  });

  test('another program on a port: a failure; a worker that is ready: when it last got on', async () => {
    const other = createTcpServer((socket) => socket.end('220 mail\r\n')).listen(0, '127.0.0.1');
    const lastProgressAt = new Date(Date.now() - 600_000).toISOString();
    const worker = createServer((_req, res) => res.end(JSON.stringify({ status: 'ready', lastProgressAt })));
    worker.listen(0, '127.0.0.1');
    try {
      await Promise.all([once(other, 'listening'), once(worker, 'listening')]);
      const portOf = (server: { address(): unknown }) => String((server.address() as AddressInfo).port);
      const { findings } = await examine({ PORT: portOf(other), WORKER_INTERNAL_PORT: portOf(worker) });
      expect(findings).toContainEqual(
        expect.objectContaining({ name: 'api', state: 'failure', message: expect.stringContaining('another program') }),
      );
      expect(findings).toContainEqual(
        expect.objectContaining({ name: 'worker', state: 'ok', message: expect.stringContaining('10 min ago') }),
      );
    } finally {
      other.close();
      worker.close();
      worker.closeAllConnections();
    }
  });

  test('AUTH=keys without a key that works: a warning with the command; with one: how many', async () => {
    const keys = createKeyStore(store);
    const { info } = await keys.create({ owner: 'ada', label: '' });
    const access = async () => (await examine({ AUTH: 'keys' })).findings.find(({ name }) => name === 'access');
    expect(await access()).toMatchObject({ state: 'ok', message: expect.stringContaining('1 working') });
    await keys.revoke(info.id);
    expect(await access()).toMatchObject({ state: 'warning', fix: expect.stringContaining('keys create') });
    const open = await examine({ HOST: '0.0.0.0', ALLOW_ANONYMOUS: 'true' });
    expect(open.troubles).toContain('warning access');
  });

  test('a model that a worker cannot load: a failure with its code; one that is ready: how much memory it takes', async () => {
    const fleet = createModelFleet(store);
    const report = { since: '2026-01-01T00:00:00.000Z', lastLoadSeconds: null, openWork: 0 };
    const say = () =>
      fleet.report('w1', [
        { ...report, family: 'speech', state: 'failed', memoryBytes: null, failureCode: 'model_missing' },
        { ...report, family: 'text', state: 'ready', memoryBytes: 200 * 2 ** 20, failureCode: null },
      ]);
    await say();
    // As a worker does: what is not said again is forgotten, and the doctor looks at a lot before.
    const timer = setInterval(say, 1_000);
    const { findings } = await examine().finally(() => clearInterval(timer));
    const models = findings.filter(({ name }) => name === 'models');
    expect(models.map(({ state, message }) => [state, message])).toEqual([
      ['failure', 'speech cannot be loaded (model_missing)'],
      ['ok', 'text ready, in 1 of 1 workers, 200 MiB'],
    ]);
  });

  test('a lecture without the job that it needs is stuck until reindex; jobs that nobody takes are a failure', async () => {
    const { id } = await addLecture(store);
    await addLecture(store, summaryFailed);
    const before = await examine();
    expect(before.findings).toContainEqual(
      expect.objectContaining({ name: 'lectures', state: 'failure', message: expect.stringContaining(id) }),
    );
    expect(before.troubles).toContain('warning failed');
    await cli(['reindex'], env);
    const after = await examine();
    expect(after.troubles).not.toContain('failure lectures');
    expect(after.troubles).toContain('failure workers');
  });
});
