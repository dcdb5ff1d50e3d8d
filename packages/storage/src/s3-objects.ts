import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '@studymate/contracts/errors';
import type { BlobStat } from './blob-store.ts';
import { readCode, type S3Answer, type S3Client, type S3Request, toS3Error, unavailable } from './s3-client.ts';
import { readElement, readElements } from './s3-xml.ts';

/** Objects of a bucket, under any key: what blobs and unfinished uploads are made of. */
export interface S3Objects {
  put(key: string, body: Uint8Array): Promise<void>;
  /** As `put`, but only if the key is free. @returns false, and nothing written, when it is taken */
  create(key: string, body: Uint8Array): Promise<boolean>;
  /** @returns null when there is no such object */
  read(key: string): Promise<Buffer | null>;
  /** @returns null when there is no such object */
  stat(key: string): Promise<BlobStat | null>;
  /**
   * The bytes from `start` to `end` inclusive. Goes on where it was when the connection is lost on the way.
   * @throws AppError `not_found`, `range_not_satisfiable`
   */
  stream(key: string, range?: { start: number; end: number }): AsyncGenerator<Uint8Array>;
  /** Keys that begin with `prefix`, in ascending order, page by page. */
  list(prefix: string): AsyncGenerator<ListedObject>;
  /** Deleting what is not there is no error. */
  delete(key: string): Promise<void>;
}

export interface ListedObject {
  key: string;
  modifiedMs: number;
}

/** Only media is larger, and media is streamed. */
const maxReadBytes = 512 * 1024 * 1024;
/** It is cheaper to ask first than to send so much in vain, which is what a repeated job would do. */
const askFirstBytes = 256 * 1024;
const maxStreamFailures = 4;
const firstPauseMs = 60;
/** Says who made an object, so that a repeated request knows its own. */
const writerHeader = 'x-amz-meta-writer';

export function createS3Objects(client: S3Client): S3Objects {
  /** @throws AppError for every answer whose status is none of these */
  async function send(request: S3Request, statuses: readonly number[], maxBytes?: number): Promise<S3Answer> {
    const answer = await client.send(request, maxBytes === undefined ? {} : { maxBytes });
    if (!statuses.includes(answer.status)) throw toS3Error(client, answer);
    return answer;
  }

  /** A key that is not there: neither the whole bucket, nor a proxy that has lost its server and says 404 itself. */
  function isMissing(answer: S3Answer): boolean {
    if (answer.status !== 404) return false;
    if (readCode(answer) === 'NoSuchKey') return true;
    const error = toS3Error(client, answer);
    // A proxy finds its server again.
    throw readCode(answer) === '' ? new AppError('storage_unavailable', error.message) : error;
  }

  async function head(key: string): Promise<S3Answer | null> {
    const answer = await send({ method: 'HEAD', key }, [200, 404]);
    if (answer.status === 200) return answer;
    // It says no more than 404. Where that does not come from S3 for certain, an answer with words is asked for.
    if (answer.headers['x-amz-request-id'] !== undefined) return null;
    const asked = await send({ method: 'GET', key, headers: { Range: 'bytes=0-0' } }, [200, 206, 404, 416]);
    if (isMissing(asked)) return null;
    // It has come in between.
    return send({ method: 'HEAD', key }, [200]);
  }

  async function* stream(key: string, range?: { start: number; end: number }): AsyncGenerator<Uint8Array> {
    let position = range?.start ?? 0;
    let etag: string | undefined;
    for (let failures = 0; ; ) {
      const isWhole = range === undefined && position === 0;
      const headers = {
        ...(!isWhole && { Range: `bytes=${position}-${range?.end ?? ''}` }),
        ...(etag !== undefined && { 'If-Match': etag }),
      };
      try {
        const response = await client.open({ method: 'GET', key, headers });
        try {
          const status = response.statusCode ?? 0;
          if (status !== 200 && status !== 206) {
            const answer = { status, headers: response.headers, body: await readAll(response), isRepeated: false };
            if (isMissing(answer)) throw new AppError('not_found', 'There is no such blob.');
            if (status === 416) {
              throw new AppError('range_not_satisfiable', 'The range begins after the end of the blob.');
            }
            if (status === 412) throw new AppError('storage_unavailable', 'The blob was replaced while it was read.');
            const error = toS3Error(client, answer);
            throw status >= 500 || status === 429 ? new Error(error.message) : error;
          }
          if (!isWhole && status === 200) throw new AppError('storage_unavailable', 'The store gives no ranges.');
          etag ??= response.headers.etag;
          for await (const part of response as AsyncIterable<Buffer>) {
            position += part.length;
            failures = 0;
            yield part;
          }
          return;
        } finally {
          response.destroy();
        }
      } catch (thrown) {
        if (thrown instanceof AppError) throw thrown;
        failures++;
        if (failures === maxStreamFailures) throw unavailable(thrown);
        // All came, and then the connection was lost.
        if (range && position > range.end) return;
        await delay(firstPauseMs * 4 ** (failures - 1) * (0.5 + Math.random()));
      }
    }
  }

  async function* list(prefix: string): AsyncGenerator<ListedObject> {
    for (let after: string | undefined; ; ) {
      const query = {
        'list-type': '2',
        prefix: `${client.prefix}${prefix}`,
        // Not a continuation token: these know no expiry, and say the same.
        ...(after !== undefined && { 'start-after': `${client.prefix}${after}` }),
      };
      const answer = await send({ method: 'GET', key: null, query }, [200]);
      const xml = answer.body.toString('utf8');
      for (const content of readElements(xml, 'Contents')) {
        const full = readElement(content, 'Key') ?? '';
        if (!full.startsWith(client.prefix)) continue;
        after = full.slice(client.prefix.length);
        yield { key: after, modifiedMs: Date.parse(readElement(content, 'LastModified') ?? '') };
      }
      if (readElement(xml, 'IsTruncated') !== 'true' || after === undefined) return;
    }
  }

  return {
    async put(key, body) {
      await send({ method: 'PUT', key, body }, [200]);
    },
    async create(key, body) {
      if (body.length > askFirstBytes && (await head(key))) return false;
      const writer = randomUUID();
      const headers = { 'If-None-Match': '*', [writerHeader]: writer };
      const answer = await send({ method: 'PUT', key, headers, body }, [200, 412]);
      if (answer.status === 200) return true;
      // What the repeated request met may be what the first one wrote.
      return answer.isRepeated && (await head(key))?.headers[writerHeader] === writer;
    },
    async read(key) {
      const answer = await send({ method: 'GET', key }, [200, 404], maxReadBytes);
      return isMissing(answer) ? null : answer.body;
    },
    async stat(key) {
      const answer = await head(key);
      if (!answer) return null;
      const { 'content-length': length, 'last-modified': modified } = answer.headers;
      return { bytes: Number(length), modifiedMs: Date.parse(modified ?? '') };
    },
    stream,
    list,
    async delete(key) {
      const answer = await send({ method: 'DELETE', key }, [200, 204, 404]);
      isMissing(answer);
    },
  };
}

/** The short text with which the server refuses. */
async function readAll(response: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response) {
    bytes += part.length;
    if (bytes > 64 * 1024) break;
    parts.push(part);
  }
  return Buffer.concat(parts);
}
