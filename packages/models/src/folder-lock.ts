import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** So long without a sign of life, and a holder counts as dead. Its signs come four times as often. */
const staleMs = 60_000;
const lookEveryMs = 500;

/**
 * Does work that one process of all that share a folder should do at a time. Who holds the lock has the highest of the
 * numbered files; a dead holder's number is followed, by exclusive create, so that only one can follow. A holder that
 * was merely stopped may work on beside its successor: what is done must stand that.
 * @param isDone looked at while another one works; true ends the wait, without work
 * @throws the signal's reason when it fires during the wait
 */
export async function withFolderLock(
  lockDir: string,
  options: { signal: AbortSignal; isDone: () => Promise<boolean> },
  work: () => Promise<void>,
): Promise<void> {
  for (;;) {
    options.signal.throwIfAborted();
    if (await options.isDone()) return;
    const held = await tryToHold(lockDir);
    if (held) {
      try {
        // Who held it before may have done it between our look and our hold.
        if (!(await options.isDone())) await work();
      } finally {
        await held.release();
      }
      return;
    }
    await sleep(lookEveryMs, undefined, { signal: options.signal });
  }
}

async function tryToHold(lockDir: string): Promise<{ release(): Promise<void> } | null> {
  await mkdir(lockDir, { recursive: true });
  const numbers = await readNumbers(lockDir);
  const last = numbers.length === 0 ? 0 : Math.max(...numbers);
  if (last > 0 && !(await isDead(path.join(lockDir, String(last))))) return null;
  const file = path.join(lockDir, String(last + 1));
  const mine = JSON.stringify({ host: hostname(), pid: process.pid, token: randomUUID() });
  try {
    const handle = await open(file, 'wx');
    await handle.writeFile(mine);
    await handle.close();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Another one was quicker, or has just removed the folder at its end.
    if (code === 'EEXIST' || code === 'ENOENT') return null;
    throw error;
  }
  // Where two saw the last holder leave, one may have begun anew and the other gone on: the lower number stays.
  for (const number of await readNumbers(lockDir)) {
    if (number > last || (await isDead(path.join(lockDir, String(number))))) continue;
    await rm(file, { force: true });
    return null;
  }
  const signs = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => {});
  }, staleMs / 4);
  signs.unref();
  return {
    async release() {
      clearInterval(signs);
      for (const number of numbers) await rm(path.join(lockDir, String(number)), { force: true });
      if ((await readFile(file, 'utf8').catch(() => null)) === mine) await rm(file, { force: true });
    },
  };
}

async function readNumbers(lockDir: string): Promise<number[]> {
  return (await readdir(lockDir)).filter((name) => /^\d{1,15}$/.test(name)).map(Number);
}

/** A process of this machine is asked whether it lives; of another one only the file's time is known. */
async function isDead(file: string): Promise<boolean> {
  const [found, text] = await Promise.all([stat(file).catch(() => null), readFile(file, 'utf8').catch(() => '')]);
  if (!found) return true;
  if (Date.now() - found.mtimeMs > staleMs) return true;
  const holder = /"host":"([^"]*)","pid":(\d+)/.exec(text);
  if (!holder || holder[1] !== hostname()) return false;
  try {
    process.kill(Number(holder[2]), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
