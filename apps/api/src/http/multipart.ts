import type { IncomingMessage } from 'node:http';
import { Busboy, type BusboyFileStream, type BusboyHeaders } from '@fastify/busboy';
import { AppError } from '@studymate/contracts/errors';
import { requireMinimumRate } from './minimum-rate.ts';

export interface ReceivedFile<T> {
  /** As the caller gave it, without folders; may hold any character. */
  fileName: string;
  /** As the caller claims. */
  contentType: string;
  bytes: number;
  /** What `store` made of the file. */
  stored: T;
}

export interface ReceiveOptions<T> {
  maxFileBytes: number;
  /** Of one field; 4096 unless given. */
  maxFieldBytes?: number;
  /** Called for each field as it comes, before or after the file; what it throws ends the upload. */
  onField(name: string, value: string): void;
  /** Takes the bytes of the part named `file`. When the source fails it must leave nothing behind. */
  store(file: AsyncIterable<Uint8Array>): Promise<T>;
  /** Undoes a finished `store`, because the rest of the request was bad. */
  discard(stored: T): Promise<void>;
}

const maxFields = 20;
const defaultFieldBytes = 4_096;
/** What boundaries, part headers and fields may add to the file. */
export const multipartOverheadBytes = 256 * 1024;
/** Fields after the file are small. A file without its lecture must not lie about for as long as somebody likes. */
const afterFileMs = 60_000;

/**
 * Streams a multipart request with one part named `file` to wherever `store` takes it; nothing of the file is ever
 * held in memory.
 *
 * @throws AppError `unsupported_content_type`, `invalid_request`, `file_missing`, `file_empty`, `file_too_large`,
 *   `upload_incomplete`, `request_timeout`, or what `onField` and `store` throw
 */
export async function receiveFile<T>(req: IncomingMessage, options: ReceiveOptions<T>): Promise<ReceivedFile<T>> {
  const contentType = req.headers['content-type'] ?? '';
  if (!/^multipart\/form-data\s*;/i.test(contentType)) {
    throw new AppError('unsupported_content_type', 'Send the file as multipart/form-data, in a part named "file".');
  }
  const { maxFieldBytes = defaultFieldBytes } = options;
  const tooLarge = () =>
    new AppError('file_too_large', `The file may have ${options.maxFileBytes} bytes.`, {
      details: { maxBytes: options.maxFileBytes },
    });
  if (Number(req.headers['content-length'] ?? 0) > options.maxFileBytes + multipartOverheadBytes + maxFieldBytes)
    throw tooLarge();

  const busboy = createParser(req.headers as BusboyHeaders, maxFieldBytes);
  let received: Promise<ReceivedFile<T>> | undefined;
  let current: BusboyFileStream | undefined;
  let failed = false;
  let rest: NodeJS.Timeout | undefined;
  let endRate: (() => void) | undefined;

  async function* limited(file: BusboyFileStream, count: { bytes: number }): AsyncGenerator<Uint8Array> {
    for await (const part of file as AsyncIterable<Buffer>) {
      count.bytes += part.length;
      if (count.bytes > options.maxFileBytes) throw tooLarge();
      yield part;
    }
    if (count.bytes === 0) throw new AppError('file_empty', 'The file has no bytes.');
  }

  const parsed = new Promise<void>((resolve, reject) => {
    const fail = (error: unknown) => {
      const known = error instanceof AppError ? error : new AppError('upload_incomplete', incomplete, { cause: error });
      failed = true;
      req.unpipe(busboy);
      current?.destroy(known);
      reject(known);
    };
    busboy.on('file', (name: string | undefined, file, fileName: string | undefined, _encoding, mimeType) => {
      // Errors of the stream reach its reader; without a listener they would end the process.
      file.on('error', () => {});
      // Read in the same piece as the mistake before it: nothing more will come of it.
      if (failed) {
        file.resume();
        return;
      }
      if (name !== 'file' || received) {
        file.resume();
        const message = received ? 'Send one file at a time.' : 'The part with the file must be named "file".';
        fail(new AppError(received ? 'invalid_request' : 'file_missing', message));
        return;
      }
      current = file;
      const count = { bytes: 0 };
      received = options.store(limited(file, count)).then((stored) => {
        const message = `The rest of the request did not come within ${afterFileMs / 1000} s of the file.`;
        rest = setTimeout(() => fail(new AppError('upload_incomplete', message)), afterFileMs).unref();
        return { fileName: fileName ?? '', contentType: mimeType, bytes: count.bytes, stored };
      });
      received.catch(fail);
    });
    busboy.on('field', (name: string | undefined, value, _nameTruncated, valueTruncated) => {
      try {
        if (valueTruncated) throw new AppError('invalid_request', `A field is longer than ${maxFieldBytes} bytes.`);
        options.onField(name ?? '', value);
      } catch (error) {
        fail(error);
      }
    });
    for (const limit of ['partsLimit', 'filesLimit', 'fieldsLimit'] as const) {
      busboy.on(limit, () => fail(new AppError('invalid_request', 'The request has too many parts.')));
    }
    busboy.on('error', fail);
    busboy.on('finish', resolve);
    req.on('error', fail);
    req.once('close', () => {
      if (!req.complete) fail(new AppError('upload_incomplete', incomplete));
    });
    endRate = requireMinimumRate(req, fail);
    req.pipe(busboy);
  });

  try {
    await parsed;
    if (!received) throw new AppError('file_missing', 'The request has no part named "file".');
    return await received;
  } catch (error) {
    // Whatever was stored of it goes, whichever of the two came first: the end of the file or the mistake.
    const done = await received?.catch(() => undefined);
    if (done) await options.discard(done.stored);
    throw error;
  } finally {
    clearTimeout(rest);
    endRate?.();
  }
}

const incomplete = 'The connection ended before the whole file had come; nothing of it was kept.';

function createParser(headers: BusboyHeaders, maxFieldBytes: number) {
  try {
    return new Busboy({
      headers,
      limits: {
        files: 2,
        fields: maxFields,
        parts: maxFields + 3,
        fieldSize: maxFieldBytes,
        headerPairs: 50,
        headerSize: 16_384,
      },
      isPartAFile: (name, _type, fileName) => name === 'file' || fileName !== undefined,
      fileHwm: 256 * 1024,
    });
  } catch (error) {
    throw new AppError('invalid_request', 'The multipart body has no boundary.', { cause: error });
  }
}
