import { AppError } from '@studymate/contracts/errors';
import { readCode, type S3Answer, type S3Client, type S3Request, toS3Error } from './s3-client.ts';
import { readElement, readElements } from './s3-xml.ts';

/** One object that is sent in parts, and is there once they are put together. */
export interface S3Multipart {
  /** @returns the id of the upload */
  begin(key: string): Promise<string>;
  /** @param number from 1; sending one again replaces it */
  sendPart(upload: MultipartUpload, number: number, body: Uint8Array): Promise<S3Part>;
  /** @returns null when there is no such upload (any more) */
  listParts(upload: MultipartUpload): Promise<S3Part[] | null>;
  /** Makes the object. @returns false when there is no such upload (any more), because it has become the object or not */
  complete(upload: MultipartUpload, parts: readonly S3Part[]): Promise<boolean>;
  /** Aborting what is not there is no error. */
  abort(upload: MultipartUpload): Promise<void>;
  /** Every upload of the bucket below our prefix that is neither an object nor aborted. */
  listUploads(): AsyncGenerator<MultipartUpload & { begunMs: number }>;
}

export interface MultipartUpload {
  key: string;
  uploadId: string;
}

export interface S3Part {
  number: number;
  etag: string;
  bytes: number;
  modifiedMs: number;
}

/** What S3 allows: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const leastPartBytes = 5 * 1024 * 1024;
/** How often a fault that comes after the status is answered with another try. */
const maxFaults = 2;
/** Some servers copy all parts before they say a word. */
const completePatienceMs = 120_000;
/** Of 10,000, some are left for parts that are smaller because an upload was interrupted. */
const mostParts = 9_000;

/**
 * How large the parts of an object are, all but the last: as small as can be, for they are held in memory.
 * @param maxBytes of the largest object
 */
export function toPartBytes(maxBytes: number): number {
  return Math.max(leastPartBytes, Math.ceil(maxBytes / mostParts));
}

export function createS3Multipart(client: S3Client): S3Multipart {
  async function send(request: S3Request, patienceMs?: number, faults = 0): Promise<S3Answer | null> {
    const answer = await client.send(request, patienceMs === undefined ? {} : { patienceMs });
    if (answer.status === 404 && readCode(answer) === 'NoSuchUpload') return null;
    // Putting many parts together takes long: the status may be sent before it is known what comes of it.
    const isFault = answer.status === 200 && request.method === 'POST' && answer.body.includes('<Error>');
    if (isFault && faults < maxFaults) return send(request, patienceMs, faults + 1);
    if (answer.status >= 300 || isFault) throw toS3Error(client, isFault ? { ...answer, status: 500 } : answer);
    return answer;
  }

  async function must(request: S3Request): Promise<S3Answer> {
    const answer = await send(request);
    if (!answer) throw new AppError('storage_unavailable', 'The upload to the store is gone.');
    return answer;
  }

  return {
    async begin(key) {
      const answer = await must({ method: 'POST', key, query: { uploads: '' }, body: Buffer.alloc(0) });
      const uploadId = readElement(answer.body.toString('utf8'), 'UploadId');
      if (!uploadId) throw new AppError('storage_unavailable', 'The store gave no id for an upload.');
      return uploadId;
    },
    async sendPart({ key, uploadId }, number, body) {
      const query = { partNumber: String(number), uploadId };
      const { headers } = await must({ method: 'PUT', key, query, body });
      return { number, etag: headers.etag ?? '', bytes: body.length, modifiedMs: Date.now() };
    },
    async listParts({ key, uploadId }) {
      const parts: S3Part[] = [];
      for (;;) {
        const query = { uploadId, 'part-number-marker': String(parts.at(-1)?.number ?? 0) };
        const answer = await send({ method: 'GET', key, query });
        if (!answer) return null;
        const xml = answer.body.toString('utf8');
        const found = readElements(xml, 'Part').map((part) => ({
          number: Number(readElement(part, 'PartNumber')),
          etag: readElement(part, 'ETag') ?? '',
          bytes: Number(readElement(part, 'Size')),
          modifiedMs: Date.parse(readElement(part, 'LastModified') ?? ''),
        }));
        parts.push(...found);
        if (readElement(xml, 'IsTruncated') !== 'true' || found.length === 0) return parts;
      }
    },
    async complete({ key, uploadId }, parts) {
      const list = parts.map(
        ({ number, etag }) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`,
      );
      const body = Buffer.from(`<CompleteMultipartUpload>${list.join('')}</CompleteMultipartUpload>`);
      return (await send({ method: 'POST', key, query: { uploadId }, body }, completePatienceMs)) !== null;
    },
    async abort({ key, uploadId }) {
      await send({ method: 'DELETE', key, query: { uploadId } });
    },
    async *listUploads() {
      for (let marker: MultipartUpload | undefined; ; ) {
        const query = {
          uploads: '',
          prefix: client.prefix,
          ...(marker && { 'key-marker': `${client.prefix}${marker.key}`, 'upload-id-marker': marker.uploadId }),
        };
        const answer = await must({ method: 'GET', key: null, query });
        const xml = answer.body.toString('utf8');
        const before: MultipartUpload | undefined = marker;
        for (const upload of readElements(xml, 'Upload')) {
          const full = readElement(upload, 'Key') ?? '';
          const uploadId = readElement(upload, 'UploadId') ?? '';
          if (!full.startsWith(client.prefix)) continue;
          marker = { key: full.slice(client.prefix.length), uploadId };
          yield { ...marker, begunMs: Date.parse(readElement(upload, 'Initiated') ?? '') };
        }
        if (readElement(xml, 'IsTruncated') !== 'true' || marker === before) return;
      }
    },
  };
}
