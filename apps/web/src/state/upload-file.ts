export type Objection = 'empty' | 'notMedia' | 'isText' | 'isPicture' | 'isDocument' | 'isArchive';

/** Types that browsers know by a file's ending and that are never a recording; the API judges all others. */
const otherTypes: readonly (readonly [RegExp, Objection])[] = [
  [/^text\//, 'isText'],
  [/^image\//, 'isPicture'],
  [/^application\/(pdf|json|xml|rtf|msword|epub\+zip|vnd\.(openxmlformats|oasis|ms-))/, 'isDocument'],
  [/^application\/(zip|x-7z-compressed|x-tar|gzip|vnd\.rar)/, 'isArchive'],
  [/^(font|model)\//, 'notMedia'],
];

/** How files begin that are no recordings, whatever they are called. */
const beginnings: readonly (readonly [string, Objection])[] = [
  ['%PDF-', 'isDocument'],
  ['{\\rtf', 'isDocument'],
  ['\x89PNG', 'isPicture'],
  ['\xff\xd8\xff', 'isPicture'],
  ['GIF8', 'isPicture'],
  ['PK\x03\x04', 'isArchive'],
  ['7z\xbc\xaf', 'isArchive'],
  ['Rar!', 'isArchive'],
  ['\x1f\x8b', 'isArchive'],
];
const lookedAtBytes = 4_096;

/** What is wrong with a file that need not be sent to find out, or null. */
export async function findObjection(file: Blob): Promise<Objection | null> {
  if (file.size === 0) return 'empty';
  const byType = otherTypes.find(([pattern]) => pattern.test(file.type));
  if (byType !== undefined) return byType[1];
  const bytes = await readBeginning(file);
  // Removed or forbidden meanwhile: sending it tells why.
  if (bytes === null) return null;
  const beginning = String.fromCharCode(...bytes.subarray(0, 8));
  const byBytes = beginnings.find(([sign]) => beginning.startsWith(sign));
  if (byBytes !== undefined) return byBytes[1];
  return isText(bytes) ? 'isText' : null;
}

async function readBeginning(file: Blob): Promise<Uint8Array | null> {
  try {
    return new Uint8Array(await file.slice(0, lookedAtBytes).arrayBuffer());
  } catch {
    return null;
  }
}

/** Text has no control characters but white space; any recording has some in its first bytes. */
function isText(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte >= 32 || (byte >= 9 && byte <= 13) || byte === 27);
}
