import type { Breaker } from '@studymate/breaker/breaker';
import type { BlobStore } from '@studymate/storage/blob-store';

/**
 * The store behind a breaker. Streams and walks go on as they are: they are begun by a read or a list that is not let through.
 */
export function guardStore(blobs: BlobStore, breaker: Pick<Breaker, 'run'>): BlobStore {
  return {
    ...blobs,
    put: (key, body) => breaker.run(() => blobs.put(key, body)),
    create: (key, body) => breaker.run(() => blobs.create(key, body)),
    read: (key) => breaker.run(() => blobs.read(key)),
    stat: (key) => breaker.run(() => blobs.stat(key)),
    list: (prefix) => breaker.run(() => blobs.list(prefix)),
    delete: (key) => breaker.run(() => blobs.delete(key)),
    deletePrefix: (prefix) => breaker.run(() => blobs.deletePrefix(prefix)),
    openLocal: (key, options) => breaker.run(() => blobs.openLocal(key, options)),
  };
}
