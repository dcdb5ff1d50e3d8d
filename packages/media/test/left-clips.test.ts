import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { removeLeftClips } from '../src/decode-clip.ts';

test('removeLeftClips: clips older than an hour go; younger ones, folders and files of others stay', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'studymate-clips-'));
  try {
    await mkdir(join(folder, 'clip-folder'));
    const old = new Date(Date.now() - 61 * 60_000);
    for (const name of ['clip-old', 'clip-young', 'other']) await writeFile(join(folder, name), 'sound');
    for (const name of ['clip-old', 'other', 'clip-folder']) await utimes(join(folder, name), old, old);
    expect(await removeLeftClips(folder)).toBe(1);
    expect((await readdir(folder)).sort()).toEqual(['clip-folder', 'clip-young', 'other']);
    expect(await removeLeftClips(join(folder, 'missing'))).toBe(0);
  } finally {
    await rm(folder, { recursive: true });
  }
});
