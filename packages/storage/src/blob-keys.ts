import { AppError } from '@studymate/contracts/errors';

/** Short enough for S3 (1,024 bytes) and, with a root folder before it, for Linux's PATH_MAX. */
const maxKeyLength = 512;
const maxPartLength = 128;
const maxParts = 16;
const partPattern = /^[A-Za-z0-9._-]+$/;

/** Whether a name can be a part of a key. "." and ".." never are. */
export function isKeyPart(name: string): boolean {
  return name.length <= maxPartLength && partPattern.test(name) && name !== '.' && name !== '..';
}

function parseParts(text: unknown, what: string): string[] {
  if (typeof text === 'string' && text.length > 0 && text.length <= maxKeyLength) {
    const parts = text.split('/');
    if (parts.length <= maxParts && parts.every(isKeyPart)) return parts;
  }
  throw new AppError('invalid_request', `This is not a ${what} of the blob store.`);
}

/** @returns the parts of a key. Throws `invalid_request` for anything that is not a key. */
export function parseKey(key: string): string[] {
  return parseParts(key, 'key');
}

/** @returns the parts of a prefix, which ends in "/" or is empty. Throws `invalid_request`. */
export function parsePrefix(prefix: string): string[] {
  if (prefix === '') return [];
  if (typeof prefix !== 'string' || !prefix.endsWith('/')) {
    throw new AppError('invalid_request', 'A prefix of the blob store ends in "/" or is empty.');
  }
  return parseParts(prefix.slice(0, -1), 'prefix');
}
