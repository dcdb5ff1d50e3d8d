import type { S3Place } from '@studymate/contracts/places';
import { createBufferPlaces } from './buffer-places.ts';
import type { OpenStore } from './open-store.ts';
import { createS3BlobStore, type StoreWatch } from './s3-blob-store.ts';
import { createS3Client } from './s3-client.ts';
import { toPartBytes } from './s3-multipart.ts';
import { createS3PartialFiles } from './s3-partial-files.ts';

/**
 * Opens a bucket as a store; closing its blobs closes all of it.
 * @param options.toUploadKey the blob that an upload is to become
 * @throws AppError `storage_unavailable`
 */
export async function openS3Store(
  options: S3Place & { tempDir: string; maxBlobBytes: number; toUploadKey: (id: string) => string },
  watch?: StoreWatch,
): Promise<OpenStore> {
  const { tempDir, maxBlobBytes, toUploadKey } = options;
  const client = createS3Client(options);
  const places = createBufferPlaces(toPartBytes(maxBlobBytes));
  return {
    blobs: await createS3BlobStore({ client, tempDir, maxBlobBytes, places, ...(watch && { watch }) }),
    partials: createS3PartialFiles({ client, toKey: toUploadKey, maxBytes: maxBlobBytes, places }),
  };
}
