import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { BlobStore } from '@studymate/storage/blob-store';

/** A blob store that costs next to nothing, for what is to be measured without the disk. */
export function createMemoryBlobStore(): BlobStore {
  const blobs = new Map<string, { bytes: Uint8Array; modifiedMs: number }>();
  const put: BlobStore['put'] = async (key, body) => {
    const parts: Uint8Array[] = [];
    if (body instanceof Uint8Array) parts.push(body);
    else for await (const part of body) parts.push(part);
    const bytes = Buffer.concat(parts);
    blobs.set(key, { bytes, modifiedMs: Date.now() });
    return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  };
  const list = async (prefix: string) => [...blobs.keys()].filter((key) => key.startsWith(prefix)).sort();
  return {
    put,
    async create(key, body) {
      if (blobs.has(key)) return false;
      blobs.set(key, { bytes: body, modifiedMs: Date.now() });
      return true;
    },
    read: async (key) => blobs.get(key)?.bytes ?? null,
    stream: (key) => Readable.from([blobs.get(key)?.bytes ?? new Uint8Array()]),
    async stat(key) {
      const found = blobs.get(key);
      return found ? { bytes: found.bytes.length, modifiedMs: found.modifiedMs } : null;
    },
    list,
    async *walk(prefix) {
      yield* await list(prefix);
    },
    async *walkOlder(prefix, thanMs) {
      for (const key of await list(prefix)) if ((blobs.get(key)?.modifiedMs ?? thanMs) < thanMs) yield key;
    },
    async delete(key) {
      blobs.delete(key);
    },
    async deletePrefix(prefix) {
      for (const key of blobs.keys()) if (key.startsWith(prefix)) blobs.delete(key);
    },
    openLocal: () => Promise.reject(new Error('there is no file')),
    check: async () => {},
    removeAbandoned: async () => 0,
    close: async () => {},
  };
}
