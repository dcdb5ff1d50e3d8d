import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { createFileBlobStore } from '@studymate/storage/file-blob-store';
import { createKeyStore } from '@studymate/storage/key-store';
import { expect, test } from 'vitest';
import { preparePython } from '../support/python-environment.ts';
import { excerpt } from '../support/recordings.ts';
import { rootDir, startSystem } from '../support/running-system.ts';

const run = promisify(execFile);
const settingsDir = path.join(rootDir, 'e2e/system/openai-python');

test('the openai package of PyPI, unchanged: every method, streamed and at once, and the errors that programs look for', async ({
  skip,
}) => {
  const cacheDir = path.join(rootDir, 'node_modules/.cache/openai-python');
  const requirements = path.join(settingsDir, 'requirements.txt');
  const environment = await preparePython(cacheDir, requirements).catch((error: Error) => error);
  if (environment instanceof Error) return skip(environment.message);
  const system = await startSystem({ AUTH: 'keys' });
  const dir = await mkdtemp(path.join(tmpdir(), 'studymate-openai-'));
  try {
    const blobs = await createFileBlobStore({ rootDir: system.dataDir });
    const { key } = await createKeyStore({ blobs }).create({ owner: 'ada', label: 'test' });
    await blobs.close();
    const files = { clip: await excerpt('clip.mp3', 0, 9), long: await excerpt('long.mp3', 0, 75) };
    const paths: string[] = [];
    for (const file of [files.clip, files.long, new File(['no sound at all '.repeat(20)], 'notes.mp3')]) {
      paths.push(path.join(dir, file.name));
      await writeFile(paths.at(-1) as string, file.stream());
    }
    const python = path.join(environment, 'bin/python');
    const args = [path.join(settingsDir, 'check.py'), `${system.baseUrl}/v1`, key, ...paths];
    const env = { PATH: process.env.PATH, HOME: dir, PYTHONDONTWRITEBYTECODE: '1' };
    const { stdout } = await run(python, args, { env, maxBuffer: 1024 * 1024 });
    const results = JSON.parse(stdout);
    expect(results.json).toMatch(/^Printing, in the only sense/);
    expect(results.text).toBe(`${results.json}\n`);
    expect(results.srt).toMatch(/^1\r\n00:00:0\d,\d{3} --> /);
    expect(results.vtt).toMatch(/^WEBVTT\n\n/);
    expect(results.verbose).toMatchObject({
      language: 'english',
      tokens: true,
      firstWord: ['Printing,', expect.any(Number), expect.any(Number)],
    });
    expect(results.verbose.words).toBeGreaterThan(15);
    expect(results.stream.types).toEqual(['transcript.text.delta', 'transcript.text.done']);
    expect(results.stream.deltas).toBeGreaterThan(1);
    expect(results.stream.joined.trim()).toBe(results.stream.done);
    expect(results.long).toBe(results.stream.done);
    expect(results.translation).toMatch(/printing/i);
    expect(results.models).toContain('whisper-1');
    expect(results.retrieved).toBe('model');
    expect(results.failures).toEqual({
      key: ['AuthenticationError', 401, 'invalid_api_key', true],
      model: ['NotFoundError', 404, 'model_not_found', true],
      notMedia: ['UnprocessableEntityError', 422, 'not_media', true],
      notMediaStreamed: ['UnprocessableEntityError', 422, 'not_media', true],
      language: ['BadRequestError', 400, 'unknown_language', true],
      timeout: ['APITimeoutError', null, null, false],
    });
    expect(results.atOnce).toEqual([results.json, results.json, results.json]);
  } finally {
    await rm(dir, { recursive: true });
    await system.close();
  }
});
