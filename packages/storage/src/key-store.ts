import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { AppError } from '@studymate/contracts/errors';
import { createId } from '@studymate/contracts/ids';
import { type ArtifactSchema, parseJson, toJsonBytes } from './artifacts.ts';
import type { BlobStore } from './blob-store.ts';

/** What may be told of a key; not the key. */
export interface ApiKeyInfo {
  id: string;
  owner: string;
  label: string;
  /** ISO 8601. */
  createdAt: string;
  /** ISO 8601, or null while the key works. */
  revokedAt: string | null;
}

export interface KeyStore {
  /**
   * Makes a key of 256 random bits.
   * @returns the key itself, which is kept nowhere and cannot be shown again
   * @throws AppError `invalid_request` for an owner or label that cannot be one
   */
  create(wanted: { owner: string; label: string }): Promise<{ key: string; info: ApiKeyInfo }>;
  /** All keys, oldest first, revoked ones too. */
  list(): Promise<ApiKeyInfo[]>;
  /** Revokes a key for good; doing it twice changes nothing. @returns null when there is no such key */
  revoke(id: string): Promise<ApiKeyInfo | null>;
  /** What a presented key stands for, also when it was revoked; null for what is no key of ours. */
  find(presented: string): Promise<ApiKeyInfo | null>;
}

const keysPrefix = 'keys/';
const keyPattern = /^sm_([0-7][0-9a-hjkmnp-tv-z]{25})_([A-Za-z0-9_-]{43})$/;
const idPattern = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/;
/** Lower case: some file systems take names that differ in nothing else for one. */
const ownerPattern = /^[a-z0-9][a-z0-9._@+-]{0,99}$/;
const maxLabelLength = 100;

interface StoredKey {
  schemaVersion: 1;
  owner: string;
  label: string;
  createdAt: string;
  /** Hex, of the secret part. */
  sha256: string;
}

/**
 * API keys over a blob store: `keys/<id>/key.json`, and `keys/<id>/revoked.json` once it was revoked. Both are written
 * once and never changed, so any number of processes may make, revoke and look up keys at once.
 *
 * A key is `sm_<id>_<secret>`; the secret has 256 random bits, of which a plain SHA-256 is kept. Slow, salted hashes
 * (bcrypt, scrypt) make the guessing of passwords dear, because people choose them among few; nobody can try a
 * fraction worth naming of 2^256 secrets, and a slow hash would cost the API time with every request
 * (OWASP Password Storage Cheat Sheet; GitHub and Stripe hash their tokens in the same way).
 */
export function createKeyStore(deps: { blobs: BlobStore }): KeyStore {
  const { blobs } = deps;

  const read = async (id: string): Promise<{ stored: StoredKey; info: ApiKeyInfo } | null> => {
    const [bytes, revoked] = await Promise.all([blobs.read(keyFile(id)), blobs.read(revokedFile(id))]);
    if (!bytes) return null;
    const stored = parseJson(keyFile(id), bytes, storedKeySchema);
    const { owner, label, createdAt } = stored;
    // Revoked, also when the note about it is damaged: that there is one is enough.
    const revokedAt = revoked ? toRevokedAt(revoked) : null;
    return { stored, info: { id, owner, label, createdAt, revokedAt } };
  };

  return {
    async create({ owner, label }) {
      if (!isOwnerName(owner)) {
        throw new AppError(
          'invalid_request',
          'An owner has 1 to 100 lower-case letters, digits, ".", "_", "@", "+" or "-", and begins with a letter or digit.',
        );
      }
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not get into a terminal.
      if (label.length > maxLabelLength || /[\u0000-\u001f\u007f-\u009f]/.test(label)) {
        throw new AppError('invalid_request', `A label has at most ${maxLabelLength} characters and no control ones.`);
      }
      const id = createId();
      const secret = randomBytes(32).toString('base64url');
      const createdAt = new Date().toISOString();
      const stored: StoredKey = { schemaVersion: 1, owner, label, createdAt, sha256: toSha256(secret).toString('hex') };
      if (!(await blobs.create(keyFile(id), toJsonBytes(stored)))) {
        throw new AppError('internal', 'Two keys have the same id.');
      }
      return { key: `sm_${id}_${secret}`, info: { id, owner, label, createdAt, revokedAt: null } };
    },
    async list() {
      const ids = (await blobs.list(keysPrefix)).flatMap((key) => /^keys\/([^/]+)\/key\.json$/.exec(key)?.[1] ?? []);
      const infos: ApiKeyInfo[] = [];
      for (const id of ids) {
        const found = await read(id);
        if (found) infos.push(found.info);
      }
      return infos;
    },
    async revoke(id) {
      if (!idPattern.test(id) || (await blobs.stat(keyFile(id))) === null) return null;
      await blobs.create(revokedFile(id), toJsonBytes({ schemaVersion: 1, revokedAt: new Date().toISOString() }));
      return (await read(id))?.info ?? null;
    },
    async find(presented) {
      const [, id, secret] = keyPattern.exec(presented) ?? [];
      if (id === undefined || secret === undefined) return null;
      const found = await read(id);
      if (!found) return null;
      // Hashes of the same length; how long the comparison takes says nothing about the stored one.
      return timingSafeEqual(toSha256(secret), Buffer.from(found.stored.sha256, 'hex')) ? found.info : null;
    },
  };
}

/** Whether a name can be an owner's. */
export function isOwnerName(name: string): boolean {
  return ownerPattern.test(name);
}

function keyFile(id: string): string {
  return `${keysPrefix}${id}/key.json`;
}

function revokedFile(id: string): string {
  return `${keysPrefix}${id}/revoked.json`;
}

function toSha256(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

function toRevokedAt(bytes: Uint8Array): string {
  try {
    const { revokedAt } = JSON.parse(Buffer.from(bytes).toString('utf8')) as { revokedAt?: unknown };
    if (typeof revokedAt === 'string') return revokedAt;
  } catch {
    // Falls through to the unknown time.
  }
  return new Date(0).toISOString();
}

const storedKeySchema: ArtifactSchema<StoredKey> = {
  safeParse(value) {
    const { schemaVersion, owner, label, createdAt, sha256 } = (value ?? {}) as Partial<Record<string, unknown>>;
    const isKey =
      schemaVersion === 1 &&
      typeof owner === 'string' &&
      typeof label === 'string' &&
      typeof createdAt === 'string' &&
      typeof sha256 === 'string' &&
      /^[0-9a-f]{64}$/.test(sha256);
    return isKey
      ? { success: true, data: { schemaVersion, owner, label, createdAt, sha256 } }
      : { success: false, error: { message: 'it is not a key' } };
  },
};
