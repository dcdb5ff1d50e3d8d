import { AppError } from '@studymate/contracts/errors';
import type { BlobStore } from './blob-store.ts';
import { artifactUpgrades, type Upgrades, upgradeStored } from './schema-upgrades.ts';

/** Any zod schema; named here so that this package needs only its result. */
export interface ArtifactSchema<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false; error: { message: string } };
}

export interface Artifacts {
  /**
   * An artifact in today's form, whichever schema version it was written by. The stored bytes stay as they are.
   * @param schema one of those that schema-upgrades.ts has a row for
   * @returns null when there is none. Throws `internal`, not retryable, when it is damaged, and `newer_version` when
   *   a later StudyMate wrote it
   */
  readArtifact<T>(key: string, schema: ArtifactSchema<T>): Promise<T | null>;
  /** Writes a value as JSON, once. @returns false, and nothing written, when there is one already */
  createArtifact(key: string, value: unknown): Promise<boolean>;
  /** @returns samples (signed 16 bit) or null when there are none */
  readSamples(key: string): Promise<Int16Array | null>;
  createSamples(key: string, samples: Int16Array): Promise<boolean>;
  /** @returns 32-bit floats or null when there are none */
  readFloats(key: string): Promise<Float32Array | null>;
  createFloats(key: string, floats: Float32Array): Promise<boolean>;
  /** @returns null when there are none */
  readBytes(key: string): Promise<Uint8Array | null>;
  createBytes(key: string, bytes: Uint8Array): Promise<boolean>;
}

/** What only reads. */
export type ArtifactReader = Pick<Artifacts, 'readArtifact' | 'readSamples' | 'readFloats' | 'readBytes'>;
/** What writes. */
export type ArtifactWriter = Omit<Artifacts, keyof ArtifactReader>;

/** Immutable results of stages over a blob store. Numbers lie in it little-endian, as they do in memory here. */
export function createArtifacts(deps: {
  blobs: BlobStore;
  /** Other tables than today's. */
  upgrades?: ReadonlyMap<ArtifactSchema<unknown>, Upgrades>;
}): Artifacts {
  const { blobs, upgrades = artifactUpgrades } = deps;

  /** The memory that was read, where it is aligned; bytes from a store can begin at any offset, and are copied then. */
  async function readNumbers<T>(
    key: string,
    Numbers: { new (buffer: ArrayBufferLike, byteOffset: number, length: number): T; BYTES_PER_ELEMENT: number },
  ): Promise<T | null> {
    const bytesEach = Numbers.BYTES_PER_ELEMENT;
    const bytes = await blobs.read(key);
    if (!bytes) return null;
    if (bytes.length % bytesEach !== 0) throw damaged(key, `its ${bytes.length} bytes are no whole numbers`);
    const { buffer, byteOffset } = bytes.byteOffset % bytesEach === 0 ? bytes : new Uint8Array(bytes);
    return new Numbers(buffer, byteOffset, bytes.length / bytesEach);
  }

  function createNumbers(key: string, numbers: Int16Array | Float32Array): Promise<boolean> {
    return blobs.create(key, new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
  }

  return {
    async readArtifact(key, schema) {
      const steps = upgrades.get(schema);
      if (!steps) throw new AppError('internal', `${key} was asked for by a schema without a row of upgrades.`);
      const bytes = await blobs.read(key);
      return bytes && parseStored(key, bytes, schema, steps);
    },
    createArtifact: (key, value) => blobs.create(key, toJsonBytes(value)),
    readSamples: (key) => readNumbers(key, Int16Array),
    createSamples: createNumbers,
    readFloats: (key) => readNumbers(key, Float32Array),
    createFloats: createNumbers,
    readBytes: blobs.read,
    createBytes: blobs.create,
  };
}

/** Stored JSON as a typed value. Throws `internal`, not retryable, that names the key and what is wrong. */
export function parseJson<T>(key: string, bytes: Uint8Array, schema: ArtifactSchema<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch {
    // Without the cause: the parser quotes what it could not read, and that may be what somebody said.
    throw damaged(key, 'it is not JSON');
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw damaged(key, parsed.error.message.slice(0, 500), parsed.error);
  return parsed.data;
}

/**
 * Stored JSON of any known schema version as a value of today's. Throws `newer_version` for a later one, `internal`,
 * not retryable, for what is damaged.
 */
export function parseStored<T>(key: string, bytes: Uint8Array, schema: ArtifactSchema<T>, upgrades: Upgrades): T {
  return parseJson(key, bytes, {
    safeParse(value) {
      const stored = upgradeStored(value, upgrades);
      if (stored.kind === 'current') return schema.safeParse(stored.value);
      if (stored.kind === 'damaged') return { success: false, error: { message: stored.why } };
      const { version, known } = stored;
      throw new AppError('newer_version', `${key} has schema version ${version}; this StudyMate knows ${known}.`);
    },
  });
}

export function toJsonBytes(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value), 'utf8');
}

function damaged(key: string, why: string, cause?: unknown): AppError {
  return new AppError('internal', `What is stored as ${key} is damaged: ${why}.`, { cause, retryable: false });
}
