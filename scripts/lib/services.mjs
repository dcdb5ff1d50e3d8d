import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { waitUntilOk } from './api-client.mjs';
import { startChild } from './children.mjs';

/** @throws {Error} when the app is not built */
export function builtMain(rootDir, app) {
  const main = path.join(rootDir, 'apps', app, 'dist', 'main.js');
  if (!existsSync(main)) throw new Error(`apps/${app} is not built; run: npm run build`);
  return main;
}

/**
 * Starts the built API or worker and waits until it answers.
 *
 * @param {object} params
 * @param {'api' | 'worker'} params.app
 * @param {string} params.rootDir
 * @param {NodeJS.ProcessEnv} params.env
 * @param {string} params.logPath what it prints goes there
 * @param {string} params.healthUrl
 * @param {number} params.timeoutMs
 * @param {(close: () => Promise<void>, child: ReturnType<typeof startChild>) => void} params.onStarted called as soon as it runs, so that it is stopped even
 *   when it never answers
 * @returns {Promise<{child: ReturnType<typeof startChild>, startSeconds: number}>} `startSeconds`: from its start to the first 200
 */
export async function startService({ app, rootDir, env, logPath, healthUrl, timeoutMs, onStarted }) {
  mkdirSync(path.dirname(logPath), { recursive: true });
  const log = openSync(logPath, 'w');
  const child = startChild({
    name: app,
    command: process.execPath,
    args: [builtMain(rootDir, app)],
    env,
    cwd: rootDir,
    output: log,
  });
  closeSync(log);
  onStarted(() => child.stop(), child);
  try {
    await waitUntilOk({ url: healthUrl, child, timeoutMs, everyMs: 5 });
  } catch (error) {
    throw new Error(`${error.message}\n${await lastLines(logPath, 20)}`);
  }
  return { child, startSeconds: Math.round(performance.now() - child.startedMs) / 1000 };
}

/** The end of a log, for a message about why something failed. */
async function lastLines(logPath, count) {
  const text = await readFile(logPath, 'utf8').catch(() => '');
  return text.trim().split('\n').slice(-count).join('\n').slice(-8_000);
}
