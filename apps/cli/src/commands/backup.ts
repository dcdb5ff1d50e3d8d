import { existsSync } from 'node:fs';
import path from 'node:path';
import { AppError } from '@studymate/contracts/errors';
import { backUpStore, type CopiedStore, restoreStore } from '@studymate/storage/copy-store';
import { createFileBlobStore } from '@studymate/storage/file-blob-store';
import { type Command, type CommandCall, type CommandContext, UsageError } from '../command.ts';
import { toSize } from '../doctor/check.ts';
import { readConfig, withStore } from '../open.ts';

const backupHelp = `Usage: npm run studymate -- backup FOLDER [--json]

Copies the store (DATA_DIR, or the bucket of S3_BUCKET) into a folder, while API and workers run: lectures, recordings,
courses, keys. Unfinished uploads are left out. Into a folder that has a backup already only what is new is copied.
The folder is a store itself: with DATA_DIR=FOLDER it can be looked at.`;

const restoreHelp = `Usage: npm run studymate -- restore FOLDER [--json]

Copies a backup into the store (DATA_DIR, or the bucket of S3_BUCKET). What is there already stays as it is; interrupted,
it may be begun again. Stop API and workers before; start them with an empty Redis, or run reindex, afterwards.
A backup of a folder may be restored into a bucket, and the other way round.`;

export const backupCommand: Command = {
  summary: 'copy the store into a folder',
  help: backupHelp,
  options: { json: { type: 'boolean' } },
  async run(call, context) {
    const folder = readFolder('backup', call, context);
    const config = readConfig(context);
    if (!config.s3 && isWithin(folder, config.dataDir)) {
      throw new UsageError('backup: the folder must lie outside of DATA_DIR');
    }
    const copied = await withStore(config, (from) => withFolder(folder, (to) => backUpStore({ from, to })));
    return report(call, context, copied, `backed up to ${folder}`);
  },
};

export const restoreCommand: Command = {
  summary: 'copy a backup into the store',
  help: restoreHelp,
  options: { json: { type: 'boolean' } },
  async run(call, context) {
    const folder = readFolder('restore', call, context);
    if (!existsSync(path.join(folder, 'lectures'))) {
      throw new AppError('storage_unavailable', `There is no backup in ${folder}.`);
    }
    const config = readConfig(context);
    const copied = await withFolder(folder, (from) =>
      withStore(config, (to) => restoreStore({ from, to }), { mayMake: true }),
    );
    return report(call, context, copied, `restored from ${folder}`);
  },
};

function readFolder(name: string, { positionals }: CommandCall, { workingDir }: CommandContext): string {
  const [folder, ...rest] = positionals;
  if (folder === undefined || rest.length > 0) throw new UsageError(`${name}: give one folder`);
  return path.resolve(workingDir, folder);
}

/** Whether one of the two lies in the other. */
function isWithin(one: string, other: string): boolean {
  const isIn = (a: string, b: string) => `${a}${path.sep}`.startsWith(`${b}${path.sep}`);
  return isIn(one, other) || isIn(other, one);
}

async function withFolder<T>(
  folder: string,
  work: (blobs: Awaited<ReturnType<typeof createFileBlobStore>>) => Promise<T>,
): Promise<T> {
  const blobs = await createFileBlobStore({ rootDir: folder });
  try {
    return await work(blobs);
  } finally {
    await blobs.close();
  }
}

function report(call: CommandCall, context: CommandContext, copied: CopiedStore, what: string): number {
  if (call.values.json === true) context.print(JSON.stringify(copied));
  else {
    const { copied: count, bytes, kept } = copied;
    context.print(`${what}: ${count} blobs copied (${toSize(bytes)}), ${kept} were there already`);
  }
  return 0;
}
