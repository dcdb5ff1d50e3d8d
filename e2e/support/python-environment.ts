import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Python packages in a virtual environment under `cacheDir`; made once for each list of requirements, and said to be
 * complete only when it is.
 * @returns the environment's folder
 * @throws Error that says what is missing: Python, or the packages
 */
export async function preparePython(cacheDir: string, requirements: string): Promise<string> {
  const version = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
    .slice(0, 12);
  const dir = path.join(cacheDir, version);
  const python = path.join(dir, 'bin/python');
  if (await stat(path.join(dir, 'complete')).catch(() => null)) return dir;
  await rm(dir, { recursive: true, force: true });
  await run('python3', ['-m', 'venv', dir]).catch((cause: unknown) => {
    throw new Error('Needs python3 with its venv module (Debian: python3-venv).', { cause });
  });
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements];
  await run(python, install, { maxBuffer: 64 * 1024 * 1024 }).catch((cause: Error) => {
    throw new Error(`The packages of ${requirements} could not be installed: ${cause.message.slice(-800)}`, { cause });
  });
  await writeFile(path.join(dir, 'complete'), '');
  return dir;
}
