import type { Readable } from 'node:stream';

/**
 * Where everything durable lies. Keys are relative paths of `[A-Za-z0-9._-]` parts joined by "/"; no part is
 * "." or "..". A folder on disk by default; the contract is one that an S3 bucket can keep as well.
 */
export interface BlobStore {
  /**
   * Writes a blob whole: readers see nothing or all of it, also after a power loss. Replaces what was there.
   * A source that fails in mid-stream leaves nothing behind.
   */
  put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<WrittenBlob>;
  /** As `put`, but only if the key is free. @returns false, and nothing written, when it is taken. */
  create(key: string, body: Uint8Array): Promise<boolean>;
  /** @returns null when there is no such blob */
  read(key: string): Promise<Uint8Array | null>;
  /** Bytes `start` to `end` inclusive; the stream fails with `not_found` when there is no such blob. */
  stream(key: string, range?: { start: number; end: number }): Readable;
  /** @returns null when there is no such blob */
  stat(key: string): Promise<BlobStat | null>;
  /** All keys that begin with `prefix` (which ends in "/" or is empty), in ascending order by code unit. */
  list(prefix: string): Promise<string[]>;
  /**
   * The same keys one after the other, for prefixes that may have very many: holds no more of them than lie beside each
   * other in one folder. What comes or goes meanwhile may be given or not; each is given once, and what stays is given.
   */
  walk(prefix: string): AsyncIterable<string>;
  /** Of these keys, in the same order, those whose blob was written before that moment (milliseconds since 1970). */
  walkOlder(prefix: string, thanMs: number): AsyncIterable<string>;
  /** Deleting what is not there is no error. */
  delete(key: string): Promise<void>;
  deletePrefix(prefix: string): Promise<void>;
  /**
   * A seekable file with the blob's bytes, for programs that need a path; call `release` when done with it.
   * @param options.signal ends the copying where there is any, with its reason
   */
  openLocal(key: string, options?: { signal?: AbortSignal }): Promise<{ path: string; release(): Promise<void> }>;
  /** Proves that the store can be written and read. Throws `storage_unavailable` or `storage_full`. */
  check(): Promise<void>;
  /** Removes what writers that are gone left unfinished, never what a living one writes. @returns how many */
  removeAbandoned(): Promise<number>;
  close(): Promise<void>;
}

export interface BlobStat {
  bytes: number;
  /** When the last of its bytes was written, in milliseconds since 1970. */
  modifiedMs: number;
}

export interface WrittenBlob {
  bytes: number;
  /** Hex. */
  sha256: string;
}
