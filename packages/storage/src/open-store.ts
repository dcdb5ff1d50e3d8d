import { join } from 'node:path';
import type { S3Place } from '@studymate/contracts/places';
import type { BlobStore } from './blob-store.ts';
import { createFileBlobStore } from './file-blob-store.ts';
import { mediaKey } from './lecture-keys.ts';
import { createPartialFiles, type PartialFiles } from './partial-files.ts';
import type { StoreWatch } from './s3-blob-store.ts';

/** Where the lectures lie, and the bytes of uploads that are not whole yet. */
export interface OpenStore {
  blobs: BlobStore;
  partials: PartialFiles;
}

export interface StoreOptions {
  /** The store itself, or, with a bucket, for local copies. */
  dataDir: string;
  /** Null: the store is a folder. */
  s3: S3Place | null;
  limits: { maxUploadBytes: number };
}

/**
 * Opens the store that the configuration names. What only a bucket needs is loaded only for one.
 * @param watch told of a bucket that is away; one that hangs is waited for only some seconds
 * @throws AppError `storage_unavailable` when it cannot be used
 */
export async function openStore(options: StoreOptions, watch?: StoreWatch): Promise<OpenStore> {
  const { dataDir, s3, limits } = options;
  if (!s3) {
    const blobs = await createFileBlobStore({ rootDir: dataDir });
    return { blobs, partials: await createPartialFiles({ rootDir: dataDir }) };
  }
  const { openS3Store } = await import('./s3-store.ts');
  const tempDir = join(dataDir, 'tmp');
  return openS3Store({ ...s3, tempDir, maxBlobBytes: limits.maxUploadBytes, toUploadKey: mediaKey }, watch);
}
