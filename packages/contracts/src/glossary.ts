import { AppError } from './errors.ts';

/** Course terms that the recogniser should know. */
export const maxGlossaryTerms = 200;
export const maxTermCharacters = 100;
/** A field of a form with so many terms of so many characters, each of up to four bytes or `\uXXXX` in JSON. */
export const maxGlossaryBytes = 160 * 1024;

const unfit = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u;

/**
 * Reads terms as a form or a program gives them: a JSON array of strings, or a text with one term a line.
 * @returns terms in NFC without needless spaces, in one order, so that the same terms are the same glossary. Each is there
 *   once: of spellings that differ in case alone the first counts
 * @throws AppError `invalid_request`
 */
export function parseGlossary(field: string): string[] {
  return toGlossary(field.trimStart().startsWith('[') ? parseArray(field) : field.split(/\r\n|\r|\n/));
}

/** @throws AppError `invalid_request` */
export function toGlossary(given: readonly string[]): string[] {
  const terms = new Map<string, string>();
  for (const raw of given) {
    const term = raw.normalize('NFC').trim();
    if (term === '') continue;
    if (unfit.test(term)) throw new AppError('invalid_request', 'glossary: a term has control characters');
    if ([...term].length > maxTermCharacters) {
      throw new AppError('invalid_request', `glossary: a term may have ${maxTermCharacters} characters`);
    }
    if (!/[\p{L}\p{N}]/u.test(term)) {
      throw new AppError('invalid_request', 'glossary: a term must have a letter or a digit');
    }
    const tidy = term.replace(/\s+/gu, ' ');
    const key = tidy.toLowerCase();
    if (!terms.has(key)) terms.set(key, tidy);
    if (terms.size > maxGlossaryTerms) {
      throw new AppError('invalid_request', `glossary: may have ${maxGlossaryTerms} terms`);
    }
  }
  return [...terms.values()].sort();
}

function parseArray(field: string): string[] {
  let value: unknown;
  try {
    value = JSON.parse(field);
  } catch (cause) {
    throw new AppError('invalid_request', 'glossary: begins like a JSON array and is none', { cause });
  }
  if (!Array.isArray(value) || !value.every((term) => typeof term === 'string')) {
    throw new AppError('invalid_request', 'glossary: must be an array of strings, or a text with one term a line');
  }
  return value;
}
