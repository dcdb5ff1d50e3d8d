import { AppError } from '@studymate/contracts/errors';

/**
 * Reads a `Range` header for a body of so many bytes (RFC 9110, 14.2).
 * @returns both ends inclusive, or null to send everything: no header, another unit, several ranges, or nonsense
 * @throws AppError `range_not_satisfiable`
 */
export function parseRange(header: string | undefined, bytes: number): { start: number; end: number } | null {
  const match = /^bytes=\s*(\d{0,15})\s*-\s*(\d{0,15})\s*$/.exec(header ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (!match || (first === '' && last === '')) return null;
  if (first !== '' && last !== '' && Number(last) < Number(first)) return null;
  const start = first === '' ? Math.max(0, bytes - Number(last)) : Number(first);
  const end = first === '' || last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1);
  if (start >= bytes || (first === '' && Number(last) === 0)) {
    throw new AppError('range_not_satisfiable', `The file has ${bytes} bytes.`, { details: { bytes } });
  }
  return { start, end };
}
