import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ErrorCode } from '@studymate/contracts/errors';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createHubClient } from '../src/hub-client.ts';
import {
  type DownloadLimits,
  type DownloadProgress,
  defaultDownloadLimits,
  downloadModel,
} from '../src/hub-download.ts';
import { verifyModelFolder } from '../src/weights.ts';
import { type FakeHub, openFakeHub, revision } from './support/fake-hub.ts';

/** No byte like its neighbours, so that a part at a wrong place is seen. */
const weights = createHash('sha512').update('weights').digest('hex').repeat(2_000);
const small = '{"d_model": 8}';
const wanted = [
  { path: 'config.json', isNeeded: true },
  { path: 'special.json', isNeeded: false },
  { path: 'onnx/model.onnx', isNeeded: true },
];

let dir: string;
let folder: string;
let hub: FakeHub;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'studymate-hub-'));
  folder = path.join(dir, 'cache', 'model');
  hub = await openFakeHub({ 'config.json': small, 'onnx/model.onnx': weights });
});
afterEach(async () => {
  await hub.close();
  await rm(dir, { recursive: true });
});

interface Options {
  limits?: Partial<DownloadLimits>;
  token?: string;
  revision?: string;
  name?: string;
  hubUrl?: string;
  idleTimeoutMs?: number;
  signal?: AbortSignal;
  onProgress?: (progress: DownloadProgress) => void;
}
const download = (options: Options = {}) =>
  downloadModel({
    client: createHubClient({
      hubUrl: options.hubUrl ?? hub.url,
      token: options.token ?? null,
      model: {
        kind: 'hub',
        owner: 'some-maker',
        name: options.name ?? 'whisper-made',
        revision: options.revision ?? revision,
      },
      idleTimeoutMs: options.idleTimeoutMs ?? 20_000,
    }),
    name: 'some-maker/whisper-made',
    folder,
    wanted,
    limits: { ...defaultDownloadLimits, firstDelayMs: 1, ...options.limits },
    onProgress: options.onProgress ?? (() => {}),
    signal: options.signal ?? new AbortController().signal,
  });
const reads = () => hub.requests.filter(({ server }) => server === 'cdn');
const fails = (code: ErrorCode, message: RegExp) => ({ code, message: expect.stringMatching(message) });

/** The folder is there, whole, checked, and nothing else is. */
async function expectWhole(): Promise<void> {
  expect(await readFile(path.join(folder, 'config.json'), 'utf8')).toBe(small);
  expect(await readFile(path.join(folder, 'onnx/model.onnx'), 'utf8')).toBe(weights);
  expect(await readFile(path.join(folder, 'SHA256SUMS'), 'utf8')).toMatch(/^[0-9a-f]{64} {2}config\.json\n/);
  await verifyModelFolder(folder, path.join(dir, 'stamps'));
  expect((await readdir(path.dirname(folder))).sort()).toEqual(['model', 'model.lock']);
  expect(await readdir(`${folder}.lock`)).toEqual([]);
}

test('a model comes whole, with checksums of its own and progress up to its end', async () => {
  const seen: DownloadProgress[] = [];
  await download({ onProgress: (progress) => seen.push(progress) });
  await expectWhole();
  const totalBytes = weights.length + small.length;
  expect(seen.at(-1)).toEqual({ downloadedBytes: totalBytes, totalBytes });
  expect(seen.map((each) => each.downloadedBytes)).toEqual(
    seen.map((each) => each.downloadedBytes).sort((a, b) => a - b),
  );
});

test('a folder that is there is not asked for', async () => {
  await download();
  const before = hub.requests.length;
  await download();
  expect(hub.requests.length).toBe(before);
});

test('a connection that breaks off again and again, each time further on: continued from where it was', async () => {
  hub.faults = Array.from({ length: 8 }, () => ({ kind: 'cut', afterBytes: 30_000 }));
  await download({ limits: { maxFailures: 4 } });
  await expectWhole();
  expect(reads()[0]?.range).toBeUndefined();
  expect(
    reads()
      .slice(1)
      .every(({ range }) => /^bytes=[1-9]\d*-$/.test(range ?? '')),
  ).toBe(true);
});

test('a failed download leaves its part, and the next one continues it', async () => {
  hub.faults = [
    { kind: 'cut', afterBytes: 50_000 },
    { kind: 'status', status: 503 },
  ];
  await expect(download({ limits: { maxFailures: 2 } })).rejects.toMatchObject(fails('model_unreachable', /503/));
  expect(await readdir(path.dirname(folder))).not.toContain('model');
  hub.requests.length = 0;
  await download();
  await expectWhole();
  expect(reads().map(({ range }) => range)).toEqual([expect.stringMatching(/^bytes=\d+-$/)]);
});

test('a server that does not continue gives the whole file again', async () => {
  hub.faults = [{ kind: 'cut', afterBytes: 50_000 }, { kind: 'whole' }];
  await download();
  await expectWhole();
});

test('a part that is longer than the file, or of other content, is begun anew', async () => {
  const partial = path.join(`${folder}.part`, 'onnx/model.onnx.part');
  await mkdir(path.dirname(partial), { recursive: true });
  await writeFile(partial, 'y'.repeat(weights.length + 1));
  await download();
  await expectWhole();
  await rm(folder, { recursive: true });
  await mkdir(path.dirname(partial), { recursive: true });
  await writeFile(partial, 'y'.repeat(1_000));
  await download();
  await expectWhole();
});

test('content that is not what the hub says: damaged, after a second try, and no folder', async () => {
  hub.faults = [{ kind: 'other-content' }, { kind: 'other-content' }];
  await expect(download()).rejects.toMatchObject(fails('model_damaged', /model\.onnx.*another content/));
  expect(reads()).toHaveLength(2);
  expect(await readdir(path.dirname(folder))).not.toContain('model');
});

test('a body without an end is given up at the size that was said', async () => {
  hub.faults = Array.from({ length: 5 }, () => ({ kind: 'endless' }));
  await expect(download({ limits: { maxFailures: 2 } })).rejects.toMatchObject(
    fails('model_unreachable', /does not end where the hub says/),
  );
});

test('a server that says nothing more is given up, and asked again', async () => {
  hub.faults = [{ kind: 'silent' }];
  await download({ idleTimeoutMs: 1_500, limits: { maxFailures: 20 } });
  await expectWhole();
});

test('a hub that cannot be reached: its name is said', async () => {
  const away = download({ hubUrl: 'http://127.0.0.1:9', limits: { maxFailures: 2 } });
  await expect(away).rejects.toMatchObject(fails('model_unreachable', /127\.0\.0\.1:9 cannot be reached/));
});

test('stopped in the middle: cancelled, and the part stays', async () => {
  hub.faults = [{ kind: 'silent' }];
  const stop = new AbortController();
  const stopped = expect(download({ signal: stop.signal })).rejects.toMatchObject({ code: 'cancelled' });
  await once(hub.events, 'request');
  stop.abort();
  await stopped;
  await download();
  await expectWhole();
});

test('a model for few: without its token it says what to do; the token goes to the hub alone', async () => {
  hub.token = 'secret';
  await expect(download()).rejects.toMatchObject(fails('model_missing', /HF_TOKEN/));
  await download({ token: 'secret' });
  await expectWhole();
  expect(hub.requests.some(({ server, token }) => server === 'hub' && token === 'Bearer secret')).toBe(true);
  expect(reads().map(({ token }) => token)).toEqual([undefined]);
});

const absent: [string, Options, RegExp][] = [
  ['a model that the hub does not have', { name: 'whisper-none' }, /has no model some-maker\/whisper-none/],
  ['a revision that the model does not have', { revision: 'b'.repeat(40) }, /no revision bbbb/],
];
test.each(absent)('%s is missing', async (_, options, message) => {
  await expect(download(options)).rejects.toMatchObject(fails('model_missing', message));
});

test('a model without a file that is needed is none of this kind', async () => {
  hub.files.delete('onnx/model.onnx');
  await expect(download()).rejects.toMatchObject(fails('model_missing', /has no onnx\/model\.onnx/));
});

test('an answer for another revision is refused', async () => {
  hub.commit = 'c'.repeat(40);
  await expect(download()).rejects.toMatchObject(fails('model_damaged', /answered for revision cccc/));
});

test('a model larger than is taken, or than the disk has room for, is refused before a byte of it', async () => {
  await expect(download({ limits: { maxBytes: 1_000 } })).rejects.toMatchObject(fails('model_too_large', /at most/));
  await expect(download({ limits: { spareBytes: 2 ** 60 } })).rejects.toMatchObject(fails('storage_full', /left/));
  expect(reads()).toEqual([]);
});

test('a redirect in circles or to no web address is not followed', async () => {
  const few = { limits: { maxFailures: 1 } };
  hub.redirectTo = 'file:///etc/passwd';
  await expect(download(few)).rejects.toMatchObject(fails('model_unreachable', /not followed/));
  hub.redirectTo = `${hub.url}/some-maker/whisper-made/resolve/${revision}/onnx/model.onnx`;
  // In circles within the hub it does not even get a description.
  await expect(download(few)).rejects.toMatchObject(fails('model_unreachable', /again and again/));
});

test('several at once: one downloads, all have it', async () => {
  await Promise.all([download(), download(), download()]);
  await expectWhole();
  expect(reads()).toHaveLength(1);
});
