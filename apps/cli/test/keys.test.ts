import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createFileBlobStore } from '@studymate/storage/file-blob-store';
import { createKeyStore } from '@studymate/storage/key-store';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cli } from './support/cli.ts';

let dir: string;
let env: Record<string, string>;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'studymate-cli-'));
  env = { DATA_DIR: dir, AUTH: 'keys' };
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function find(key: string) {
  const blobs = await createFileBlobStore({ rootDir: dir });
  const found = await createKeyStore({ blobs }).find(key);
  await blobs.close();
  return found;
}

test('a key is made, listed without its secret, and revoked', async () => {
  const made = await cli(['keys', 'create', '--owner', 'ada', '--label', 'laptop'], env);
  expect(made.status).toBe(0);
  const key = made.out;
  const info = await find(key);
  expect(info).toMatchObject({ owner: 'ada', label: 'laptop', revokedAt: null });

  const listed = await cli(['keys', 'list'], env);
  expect(listed.out).toMatch(new RegExp(`^${info?.id} +ada +laptop .* works$`, 'm'));
  expect(listed.out).not.toContain(key.slice(-43));

  const revoked = await cli(['keys', 'revoke', info?.id ?? ''], env);
  expect([revoked.status, revoked.out]).toEqual([0, `Key ${info?.id} of ada is revoked.`]);
  expect((await find(key))?.revokedAt).not.toBeNull();
  expect((await cli(['keys', 'list'], env)).out).toContain('revoked');
});

test('--json: one document on standard output for each of them', async () => {
  const made = JSON.parse((await cli(['keys', 'create', '--owner', 'ada', '--json'], env)).out);
  const { key, ...info } = made;
  expect(await find(key)).toEqual(info);
  expect(JSON.parse((await cli(['keys', 'list', '--json'], env)).out)).toEqual({ keys: [info] });
  const revoked = JSON.parse((await cli(['keys', 'revoke', info.id, '--json'], env)).out);
  expect(revoked).toEqual({ ...info, revokedAt: expect.any(String) });
});

test('a key made while AUTH is off: made, and said that nobody asks for it yet', async () => {
  const made = await cli(['keys', 'create', '--owner', 'ada'], { DATA_DIR: dir });
  expect(made.status).toBe(0);
  expect(made.err).toContain('AUTH is off');
});

test('a label is shown without what could move the cursor of a terminal', async () => {
  const refused = await cli(['keys', 'create', '--owner', 'ada', '--label', '\u001b[2J'], env);
  expect(refused).toMatchObject({ status: 1, out: '' });
  expect(refused.err).not.toContain('\u001b');
});

test.each([
  [[], 'Usage'],
  [['nonsense'], 'There is no command "nonsense"'],
  [['keys'], 'say what to do'],
  [['keys', 'nonsense'], 'there is no "nonsense"'],
  [['keys', 'create'], '--owner is missing'],
  [['keys', 'create', '--owner', '../etc'], '--owner'],
  [['keys', 'create', '--owner', 'ada', 'bob'], 'options only'],
  [['keys', 'revoke'], 'id'],
  [['keys', 'list', '--owner', 'ada'], '--owner'],
  [['keys', 'list', '--nonsense'], '--nonsense'],
] as [string[], string][])(
  'called in a wrong way, %j: status 2, told why, and nothing is written',
  async (args, told) => {
    const result = await cli(args, env);
    expect([result.status, result.out]).toEqual([2, '']);
    expect(result.err).toContain(told);
    expect(await readdir(dir)).toEqual([]);
  },
);

test('what is not there, a wrong setting, a store that is not there: status 1 and one reason', async () => {
  expect(await cli(['keys', 'revoke', 'nonsense'], env)).toMatchObject({ status: 1, out: '' });
  expect((await cli(['keys', 'list'], { ...env, AUTH: 'maybe' })).err).toContain('AUTH="maybe"');
  const missing = path.join(dir, 'missing');
  const away = await cli(['keys', 'list'], { ...env, DATA_DIR: missing });
  expect(away.status).toBe(1);
  expect(away.err).toContain(missing);
  expect(await readdir(dir)).not.toContain('missing');
});

test.each([['--help'], ['keys', '--help'], ['keys', 'create', '-h']])('%s %s: help, status 0', async (...args) => {
  const result = await cli(
    args.filter((word) => word !== undefined),
    env,
  );
  expect(result).toMatchObject({ status: 0, err: '' });
  expect(result.out).toMatch(/^Usage: /);
});
