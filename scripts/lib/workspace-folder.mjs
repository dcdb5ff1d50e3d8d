import { closeSync, linkSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';

const maxSlots = 32;

/**
 * Claims a folder for one demo at a time: `.demo/1`, or the next one when a running demo has that. Two Redis servers
 * on one append-only file would destroy it.
 *
 * @param {string} parentDir
 * @returns {{dir: string, release(): void}}
 */
export function claimFolder(parentDir) {
  for (let slot = 1; slot <= maxSlots; slot++) {
    const dir = path.join(parentDir, String(slot));
    mkdirSync(dir, { recursive: true });
    const lockPath = path.join(dir, 'lock');
    if (!claim(lockPath)) continue;
    return { dir, release: () => rmSync(lockPath, { force: true }) };
  }
  throw new Error(`${maxSlots} demos are running already in ${parentDir}`);
}

function claim(lockPath) {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const file = openSync(lockPath, 'wx');
      writeSync(file, String(process.pid));
      closeSync(file);
      return true;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (isAlive(holderOf(lockPath)) || !removeDead(lockPath)) return false;
  }
  return false;
}

/** Takes away the lock of a holder that was killed, but not the lock that somebody else has made meanwhile. */
function removeDead(lockPath) {
  const taken = `${lockPath}.${process.pid}`;
  try {
    renameSync(lockPath, taken);
    if (isAlive(holderOf(taken))) {
      linkSync(taken, lockPath);
      return false;
    }
    return true;
  } catch {
    return false;
  } finally {
    rmSync(taken, { force: true });
  }
}

function holderOf(lockPath) {
  try {
    return Number(readFileSync(lockPath, 'utf8'));
  } catch {
    return 0;
  }
}

/** @param {number} pid 0: the lock is being written this very moment, so somebody holds it */
function isAlive(pid) {
  if (!Number.isInteger(pid) || pid <= 0) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
