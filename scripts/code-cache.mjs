// V8's code cache for a built app: what V8 has made of the JavaScript by the time that the app serves requests, so that
// the next start need not compile it again. Made by a real start at build time, on free loopback ports, with a data
// folder of its own and no Redis.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { codeCacheOf, loadBundle, toCacheFile } from './lib/load-bundle.mjs';
import { freePorts } from './lib/ports.mjs';

const timeoutMs = 20_000;

/**
 * Starts the bundle once and writes its code cache beside it.
 *
 * @param {object} params
 * @param {string} params.file the bundle of the API, absolute
 * @returns {Promise<boolean>} whether it was written; without it the app works all the same
 */
export async function makeCodeCache({ file }) {
  const dir = await mkdtemp(path.join(tmpdir(), 'studymate-code-cache-'));
  try {
    const [port, internalPort, deadPort] = await freePorts(3);
    const child = spawn(process.execPath, [fileURLToPath(import.meta.url), file, String(port)], {
      cwd: dir,
      env: {
        PATH: process.env.PATH,
        PORT: String(port),
        INTERNAL_PORT: String(internalPort),
        REDIS_URL: `redis://127.0.0.1:${deadPort}`,
        DATA_DIR: path.join(dir, 'data'),
        LOG_LEVEL: 'silent',
      },
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    const [status] = await once(child, 'exit');
    return status === 0;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** In the process that is started for it: runs the app, waits until it serves, and keeps what V8 has made by then. */
async function runAndKeep(file, port) {
  const script = loadBundle(file);
  while (!(await isOk(`http://127.0.0.1:${port}/health/live`))) await new Promise((resolve) => setTimeout(resolve, 20));
  const cache = codeCacheOf(file);
  await writeFile(`${cache}.tmp`, toCacheFile(script.createCachedData()));
  await rename(`${cache}.tmp`, cache);
  process.kill(process.pid, 'SIGTERM');
}

function isOk(url) {
  return new Promise((resolve) => {
    http
      .get(url, { agent: false }, (res) => resolve(res.resume().statusCode === 200))
      .on('error', () => resolve(false));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await runAndKeep(process.argv[2], process.argv[3]);
