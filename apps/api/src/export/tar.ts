const blockBytes = 512;
/** Eleven octal digits; 8 GiB. */
const maxOctalBytes = 8 ** 11 - 1;

export interface TarFile {
  /** ASCII, at most 100 characters, no folder above. */
  name: string;
  bytes: number;
  modifiedMs: number;
  body: AsyncIterable<Uint8Array>;
}

/**
 * A tape archive in the form that every system unpacks (POSIX.1-1988, "ustar"), piece by piece. The size of a file from
 * 8 GiB on stands in an extended header before it (POSIX.1-2001, "pax"), which today's systems read.
 * @throws Error when a file has another length than it said: the archive would be damaged from there on
 */
export async function* toTar(files: AsyncIterable<TarFile>): AsyncGenerator<Uint8Array> {
  for await (const file of files) {
    if (file.bytes > maxOctalBytes) yield* toExtendedHeader(file);
    yield toHeader(file);
    let bytes = 0;
    for await (const part of file.body) {
      bytes += part.length;
      yield part;
    }
    if (bytes !== file.bytes) throw new Error(`${file.name} has ${bytes} bytes and not ${file.bytes}`);
    yield new Uint8Array((blockBytes - (bytes % blockBytes)) % blockBytes);
  }
  yield new Uint8Array(2 * blockBytes);
}

/** A file whose content is at hand. */
export function toTarFile(name: string, content: unknown, modifiedMs: number): TarFile {
  const body = Buffer.from(typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`, 'utf8');
  return { name, bytes: body.length, modifiedMs, body: once(body) };
}

async function* once(part: Uint8Array): AsyncGenerator<Uint8Array> {
  yield part;
}

/** A file of type "x" that says what the header after it has no room for. */
function toExtendedHeader({ bytes, modifiedMs }: TarFile): Uint8Array[] {
  const field = ` size=${bytes}\n`;
  // The length of a line counts its own digits.
  let length = field.length + 1;
  while (String(length).length + field.length > length) length++;
  const content = Buffer.alloc(blockBytes);
  content.write(`${length}${field}`, 'latin1');
  return [toHeader({ name: 'PaxHeader', bytes: length, modifiedMs }, 'x'), content];
}

function toHeader({ name, bytes, modifiedMs }: Omit<TarFile, 'body'>, type: '0' | 'x' = '0'): Uint8Array {
  if (!/^[\x21-\x7e]{1,100}$/.test(name)) throw new Error(`${name} cannot be archived`);
  const header = Buffer.alloc(blockBytes);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`;
  const fields: [offset: number, text: string][] = [
    [0, name],
    [100, octal(0o644, 7)],
    [108, octal(0, 7)],
    [116, octal(0, 7)],
    // Too large a size stands in the extended header.
    [124, octal(bytes > maxOctalBytes ? 0 : bytes, 11)],
    [136, octal(Math.max(0, Math.floor(modifiedMs / 1000)), 11)],
    // The sum is taken with spaces in its own place.
    [148, ' '.repeat(8)],
    [156, type],
    [257, 'ustar\x0000'],
  ];
  for (const [offset, text] of fields) header.write(text, offset, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}
