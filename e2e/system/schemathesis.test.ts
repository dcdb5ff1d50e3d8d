import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { preparePython } from '../support/python-environment.ts';
import { rootDir, startSystem } from '../support/running-system.ts';
import { until } from '../support/until.ts';

/** What an answer is held against: its status, type, headers and form must be described, and none may be a 5xx. */
const checks = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
];
const settingsDir = path.join(rootDir, 'e2e/system/schemathesis');
const examplesEach = 8;
/** The second half of the run goes on for so long, however quick the machine is. */
const maxSeconds = 20;

/** Runs a program in a folder of its own. @returns its exit status and what it said */
async function run(command: string, args: string[]): Promise<{ status: number | null; output: string }> {
  const dir = await mkdtemp(path.join(tmpdir(), 'studymate-schemathesis-'));
  try {
    const env = {
      PATH: process.env.PATH,
      HOME: dir,
      NO_COLOR: '1',
      // Nothing is left beside the hooks.
      PYTHONDONTWRITEBYTECODE: '1',
      SCHEMATHESIS_HOOKS: path.join(settingsDir, 'hooks.py'),
    };
    const child = spawn(command, args, { cwd: dir, env });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (part) => {
        output += part;
      });
    }
    const [status] = (await once(child, 'close')) as [number | null];
    return { status, output };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

test('requests drawn from the description, right and wrong ones: every answer is described, and no fault is ours', async ({
  skip,
}) => {
  const cacheDir = path.join(rootDir, 'node_modules/.cache/schemathesis');
  const requirements = path.join(settingsDir, 'requirements.txt');
  const python = await preparePython(cacheDir, requirements).catch((error: Error) => error);
  if (python instanceof Error) return skip(python.message);
  const system = await startSystem({ LOG_LEVEL: 'warn' });
  try {
    // Not what is asked about here: 503 while a model loads.
    await system.client.warmup();
    await until('every model ready', async () =>
      (await system.client.modelStatus()).every(({ state }) => state === 'ready'),
    );
    const { status, output } = await run(path.join(python, 'bin/st'), [
      ...['--config-file', path.join(settingsDir, 'schemathesis.toml')],
      ...['run', `${system.baseUrl}/openapi.json`],
      ...['--checks', checks.join(','), '--phases', 'coverage,fuzzing'],
      ...['--max-examples', String(examplesEach), '--max-time', String(maxSeconds)],
      // One worker: Python 3.11 reads its own sources (ast) wrongly when several threads do it at once.
      ...['--workers', '1', '--seed', '1', '--generation-deterministic', '--request-timeout', '130'],
      ...['--suppress-health-check', 'all', '--no-shrink', '--warnings', 'off'],
    ]);
    expect(status, output.slice(-20_000)).toBe(0);
    expect(Number(/Tested: (\d+)/.exec(output)?.[1])).toBeGreaterThan(40);
  } finally {
    await system.close();
  }
});
