import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '@studymate/contracts/errors';

/**
 * Compares every file of a model folder with its SHA256SUMS. Done before the first load; a stamp with sizes and
 * times lets later loads pass without reading the files again.
 * @param stampDir where stamps are kept
 * @throws AppError `model_missing` (a listed file is absent) or `model_damaged` (its checksum is another one, or the list
 * names no file)
 */
export async function verifyModelFolder(folder: string, stampDir: string): Promise<void> {
  const files = await readChecksums(folder);
  if (files === null) return;
  const state: string[] = [];
  for (const { name, sha256 } of files) {
    const found = await stat(path.join(folder, name)).catch(() => null);
    if (!found) throw new AppError('model_missing', `The model folder ${folder} lacks the file ${name}.`);
    state.push(`${sha256} ${name} ${found.size} ${found.mtimeMs}`);
  }
  const stamp = createHash('sha256')
    .update(`${folder}\n${state.join('\n')}`)
    .digest('hex');
  const stampFile = path.join(stampDir, stamp);
  if (await stat(stampFile).catch(() => null)) return;

  for (const { name, sha256 } of files) {
    const actual = await hashFile(path.join(folder, name));
    if (actual !== sha256) {
      throw new AppError(
        'model_damaged',
        `The file ${name} of the model folder ${folder} is damaged: its SHA-256 is ${actual}, not ${sha256}. Copy it again from its origin.`,
      );
    }
  }
  await mkdir(stampDir, { recursive: true });
  await writeFile(stampFile, '');
}

/**
 * The SHA256SUMS of a model folder; null: it has none, as a folder that the user made need not.
 * @throws AppError `model_damaged` when it names no file: such a list would hold the files to nothing
 */
export async function readChecksums(folder: string): Promise<ReturnType<typeof parseChecksums> | null> {
  const list = await readFile(path.join(folder, 'SHA256SUMS'), 'utf8').catch(() => null);
  if (list === null) return null;
  const files = parseChecksums(list);
  if (files.length > 0) return files;
  throw new AppError(
    'model_damaged',
    `The SHA256SUMS of the model folder ${folder} has no line with a checksum and a name. Copy it again from its origin, or remove it.`,
  );
}

/** Lines of the sha256sum program: hash, two spaces (or " *"), name. */
export function parseChecksums(text: string): { name: string; sha256: string }[] {
  const files: { name: string; sha256: string }[] = [];
  for (const line of text.split('\n')) {
    const match = /^([0-9a-f]{64}) [ *](.+)$/.exec(line.trim());
    if (match?.[1] && match[2]) files.push({ sha256: match[1], name: match[2] });
  }
  return files;
}

/** SHA-256 of a file of any size, in hex. */
export async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const block of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(block as Buffer);
  return hash.digest('hex');
}
