import { constants, existsSync } from 'node:fs';
import { access, lstat, readdir, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import type { BlobStore } from '@studymate/storage/blob-store';
import { type Finding, toAge, toSize } from './check.ts';

const name = 'store';
/** Below this the next lecture may not find room for its sound. */
const leastFreeBytes = 2 ** 30;
const leastFreeInodes = 10_000;
/** Writers touch their files every minute. */
const abandonedMs = 60 * 60 * 1000;
const sharedFolders = ['media', 'lectures', 'owners', 'keys', 'clips', 'transient', 'uploads', '~uploads'];

const loopbackHosts = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * @param blobs the opened store
 * @param local where a worker keeps copies
 */
export async function checkBucket(
  blobs: BlobStore,
  s3: { bucket: string; endpoint: string },
  local: { dataDir: string; maxUploadBytes: number },
): Promise<Finding[]> {
  await blobs.check();
  const { host, hostname, protocol } = new URL(s3.endpoint);
  const message = `the bucket ${s3.bucket} at ${host} can be written and read, and honours conditions`;
  const findings: Finding[] = [{ name, state: 'ok', message }];
  if (protocol === 'http:' && !loopbackHosts.test(hostname)) {
    findings.push({
      name,
      state: 'warning',
      message: `recordings go to ${host} without TLS: who is on the way can hear them`,
      fix: 'give S3_ENDPOINT with https, unless the network is yours alone',
    });
  }
  findings.push(...(await checkCopies(local)));
  return findings;
}

/** The first start makes the folder; the API needs none. */
async function checkCopies({
  dataDir,
  maxUploadBytes,
}: {
  dataDir: string;
  maxUploadBytes: number;
}): Promise<Finding[]> {
  if (!existsSync(dataDir)) return [];
  try {
    await access(dataDir, constants.W_OK | constants.X_OK);
  } catch {
    const fix = `give the user who runs the worker the rights to ${dataDir}`;
    return [{ name, state: 'failure', message: `${dataDir}, for copies of recordings, cannot be written`, fix }];
  }
  return judgeSpace(await statfs(dataDir), maxUploadBytes);
}

/** @param blobs the opened store */
export async function checkFolder(blobs: BlobStore, dataDir: string, maxUploadBytes: number): Promise<Finding[]> {
  await blobs.check();
  const findings: Finding[] = [{ name, state: 'ok', message: `${dataDir} can be written and read` }];
  findings.push(...judgeSpace(await statfs(dataDir), maxUploadBytes));
  const foreign = await listForeignFolders(dataDir);
  if (foreign.length > 0) {
    findings.push({
      name,
      state: 'failure',
      message: `in other file systems, or links: ${foreign.join(', ')}; files cannot be put in their place there`,
      fix: 'make DATA_DIR itself the link or the mount, not a folder in it',
    });
  }
  return findings;
}

/** @param fs as `statfs` gives it; without a count of inodes (0) nothing is said of them */
export function judgeSpace(
  fs: { bavail: number; bsize: number; files: number; ffree: number },
  maxUploadBytes: number,
): Finding[] {
  const free = fs.bavail * fs.bsize;
  const fix = 'make room, or move DATA_DIR to a larger disk';
  const findings: Finding[] = [];
  if (free < leastFreeBytes) findings.push({ name, state: 'failure', message: `only ${toSize(free)} are free`, fix });
  else if (free < maxUploadBytes) {
    const message = `${toSize(free)} are free: less than one upload may have (${toSize(maxUploadBytes)})`;
    findings.push({ name, state: 'warning', message, fix: `${fix}, or lower MAX_UPLOAD_BYTES` });
  } else findings.push({ name, state: 'ok', message: `${toSize(free)} are free` });
  if (fs.files > 0 && fs.ffree < leastFreeInodes) {
    findings.push({ name, state: 'failure', message: `only ${fs.ffree} files more can be made (inodes)`, fix });
  }
  return findings;
}

async function listForeignFolders(dataDir: string): Promise<string[]> {
  const root = await stat(dataDir);
  const foreign: string[] = [];
  for (const folder of sharedFolders) {
    const stats = await lstat(path.join(dataDir, folder)).catch(() => null);
    if (stats && (stats.isSymbolicLink() || stats.dev !== root.dev)) foreign.push(folder);
  }
  return foreign;
}

/** Files that were never finished. To be asked before the store is opened, which removes those of dead writers. */
export async function checkTempFiles(dataDir: string, now = Date.now()): Promise<Finding[]> {
  const tempDir = path.join(dataDir, '~tmp');
  let bytes = 0;
  let oldestMs = 0;
  let count = 0;
  for (const file of await readdir(tempDir).catch(() => [])) {
    const stats = await lstat(path.join(tempDir, file)).catch(() => null);
    const ageMs = stats ? now - stats.mtimeMs : 0;
    if (!stats || ageMs < abandonedMs) continue;
    count++;
    bytes += stats.size;
    oldestMs = Math.max(oldestMs, ageMs);
  }
  if (count === 0) return [{ name, state: 'ok', message: 'no unfinished files are left over' }];
  return [
    {
      name,
      state: 'warning',
      message: `${count} unfinished files are left over, ${toSize(bytes)}, the oldest ${toAge(oldestMs)} old`,
      fix: 'those of ended writers go at the next start of API or worker; what is still there then can be deleted',
    },
  ];
}
