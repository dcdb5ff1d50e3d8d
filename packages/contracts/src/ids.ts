import { z } from 'zod';

/**
 * Ids are ULIDs in lower case: 10 characters of milliseconds since 1970, then 16 random ones, in Crockford's
 * base 32. They sort by time of creation, are safe in paths, URLs and job ids, and cannot be guessed.
 * Source: https://github.com/ulid/spec
 */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

export const idSchema = z
  .string()
  .regex(/^[0-7][0-9a-hjkmnp-tv-z]{25}$/, 'not an id of ours: 26 characters of base 32 are expected');

/** @param randomBytes at least 16 random bytes; five bits of each are used */
export function toId(timeMs: number, randomBytes: Uint8Array): string {
  let time = '';
  let rest = timeMs;
  for (let i = 0; i < 10; i++) {
    time = alphabet.charAt(rest % 32) + time;
    rest = Math.floor(rest / 32);
  }
  let random = '';
  for (let i = 0; i < 16; i++) random += alphabet.charAt((randomBytes[i] ?? 0) & 31);
  return time + random;
}

export function createId(nowMs: number = Date.now()): string {
  return toId(nowMs, crypto.getRandomValues(new Uint8Array(16)));
}
