import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '@studymate/contracts/errors';
import { hashFile, readChecksums } from './weights.ts';

/** Hex digits of an identity: enough to tell apart the weights that one store ever sees. */
const identityLength = 8;
/** A folder of weights has a dozen files; one with more is something else, and is not read through. */
const maxFiles = 500;

/**
 * A short name of what is in a model folder: equal for equal weights wherever they lie, another one for other weights
 * under the same name. With a SHA256SUMS it is a digest of that list, which `verifyModelFolder` holds the files to.
 * Without, every file is read once; a stamp with sizes and times spares that the next time.
 * @param stampDir where stamps are kept
 * @returns 8 hex digits
 * @throws AppError `model_missing` (no such folder), `model_damaged` (no model folder, or one that cannot be read, or a
 * SHA256SUMS that names no file)
 */
export async function identifyWeights(folder: string, stampDir: string): Promise<string> {
  const listed = await readChecksums(folder);
  if (listed !== null) return toIdentity(listed);
  const files = await listFiles(folder);
  const state = files.map(({ name, bytes, modifiedMs }) => `${name} ${bytes} ${modifiedMs}`);
  const stampFile = path.join(stampDir, `identity-${sha256(`${folder}\n${state.join('\n')}`)}`);
  const known = await readFile(stampFile, 'utf8').catch(() => '');
  if (/^[0-9a-f]{8}$/.test(known)) return known;
  const hashed: { name: string; sha256: string }[] = [];
  for (const { name } of files) hashed.push({ name, sha256: await hashFile(path.join(folder, name)) });
  const identity = toIdentity(hashed);
  await mkdir(stampDir, { recursive: true });
  await writeFile(stampFile, identity);
  return identity;
}

async function listFiles(folder: string): Promise<{ name: string; bytes: number; modifiedMs: number }[]> {
  const entries = await readdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw new AppError('model_missing', `There is no model folder ${folder}.`, { cause });
  });
  if (entries.length > maxFiles) {
    throw new AppError('model_damaged', `${folder} has more than ${maxFiles} files: it is no model folder.`);
  }
  const files: { name: string; bytes: number; modifiedMs: number }[] = [];
  for (const name of entries.sort()) {
    const found = await stat(path.join(folder, name)).catch(() => null);
    if (found?.isFile()) files.push({ name, bytes: found.size, modifiedMs: found.mtimeMs });
  }
  return files;
}

function toIdentity(files: readonly { name: string; sha256: string }[]): string {
  const lines = files.map(({ name, sha256: hash }) => `${hash}  ${name}`);
  return sha256(lines.sort().join('\n')).slice(0, identityLength);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
