import { spawn } from 'node:child_process';

/**
 * Runs a program to its end, without a shell. What it prints goes to our standard error, so that standard output
 * stays free for results.
 *
 * @param {object} params
 * @param {string} params.command
 * @param {string[]} params.args
 * @param {string} [params.cwd]
 * @param {NodeJS.ProcessEnv} [params.env]
 * @param {AbortSignal} [params.signal] ends it before its time
 * @param {boolean} [params.quiet] keep what it prints, and show it only when it fails
 * @returns {Promise<string>} what it printed, when `quiet`; otherwise ''
 */
export async function runCommand({ command, args, cwd, env, signal, quiet = false }) {
  const child = spawn(command, args, {
    cwd,
    env: env ?? process.env,
    ...(signal === undefined ? {} : { signal }),
    stdio: quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 2, 2],
  });
  let printed = '';
  const keep = (chunk) => {
    printed = (printed + chunk).slice(-64_000);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const status = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(signal ?? code));
  });
  if (status !== 0) {
    const detail = printed.trim() === '' ? '' : `\n${printed.trim().split('\n').slice(-30).join('\n')}`;
    throw new Error(`${command} ${args.join(' ')} ended with ${status}${detail}`);
  }
  return printed;
}
