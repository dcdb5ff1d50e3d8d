import type { Lecture } from '@studymate/contracts/lecture';
import type { DetailedError, HttpResponse, Upload, UploadOptions } from 'tus-js-client';
import { ApiError } from './api-error.ts';

export interface ResumableUploadOptions {
  /** Bytes that the API has or that are on their way to it. */
  onProgress?(sentBytes: number, totalBytes: number): void;
  /** The connection was lost, or the API is away for a moment; it is tried again by itself. */
  onWaiting?(): void;
  /** Goes on with an upload that was begun before. */
  uploadId?: string;
  /** Called once it is known under which id the upload can be gone on with, after a restart of the program, too. */
  onUploadId?(uploadId: string): void;
  /** Waits before each new try, counted anew whenever bytes have come through. */
  retryDelaysMs?: readonly number[];
  /** Bytes of one request; in a browser the whole file unless given, in Node 8 MiB. */
  partBytes?: number;
}

/** A recording on its way, in parts that survive lost connections. */
export interface ResumableUpload {
  /**
   * The lecture, once every byte has come and it was made. Rejects with an ApiError, a TypeError when the API could not
   * be reached for as long as it was tried, or an AbortError after `cancel`.
   */
  readonly lecture: Promise<Lecture>;
  /** Stops sending; what has come is kept. */
  pause(): Promise<void>;
  /** Goes on after a pause. */
  resume(): void;
  /**
   * Stops for good, and has what had come removed; also a lecture that was just being made of it, unless the API says that
   * it had been there before.
   */
  cancel(): Promise<void>;
}

/** Some three minutes. */
const defaultRetryDelaysMs = [500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 30_000, 30_000, 30_000];
const nodePartBytes = 8 * 1024 * 1024;

/** Of the client that it belongs to. */
export interface ResumableUploadDeps {
  /** Without a slash at its end; "" for the page's own origin. */
  baseUrl: string;
  headers: Record<string, string>;
  /** Makes the lecture of a finished upload. `isNew`: not one that was there before. */
  createLecture(uploadId: string): Promise<{ lecture: Lecture; isNew: boolean }>;
  deleteLecture(lectureId: string): Promise<void>;
}

/** Sends a recording by tus 1.0 (tus-js-client), and makes the lecture when all of it has come. */
export function startResumableUpload(
  deps: ResumableUploadDeps,
  file: Blob,
  fileName?: string,
  options: ResumableUploadOptions = {},
): ResumableUpload {
  const endpoint = `${deps.baseUrl}/api/v1/uploads`;
  const delaysMs = options.retryDelaysMs ?? defaultRetryDelaysMs;
  let upload: Upload | undefined;
  let isPaused = false;
  const over = new AbortController();
  let making: Promise<void> | undefined;
  let settle: { resolve(lecture: Lecture): void; reject(error: unknown): void };
  const lecture = new Promise<Lecture>((resolve, reject) => {
    settle = { resolve, reject };
  });
  const finish = (outcome: () => void) => {
    if (over.signal.aborted) return;
    over.abort();
    outcome();
  };

  /** As often as a part: asking again gives the same lecture. */
  const makeLecture = async (): Promise<{ lecture: Lecture; isNew: boolean }> => {
    for (let tries = 0; ; tries++) {
      try {
        return await deps.createLecture(toUploadId());
      } catch (error) {
        const delayMs = delaysMs[tries];
        if (over.signal.aborted || delayMs === undefined || !isPassing(error instanceof ApiError ? error.status : 0))
          throw error;
        options.onWaiting?.();
        await pause(delayMs, over.signal);
        if (over.signal.aborted) throw error;
      }
    }
  };
  const makeUnlessCancelled = async (): Promise<void> => {
    try {
      const made = await makeLecture();
      // Cancelled while it was made: nobody would ever learn of it.
      if (over.signal.aborted && made.isNew) await deps.deleteLecture(made.lecture.id).catch(() => {});
      finish(() => settle.resolve(made.lecture));
    } catch (error) {
      finish(() => settle.reject(error));
    }
  };

  const toUploadId = () => (upload?.url ?? '').split('/').pop() ?? '';
  const begin = async () => {
    // Loaded by the first upload: a page that only shows lectures does without it.
    const { Upload } = await import('tus-js-client');
    if (over.signal.aborted) return;
    const name = fileName ?? ('name' in file && typeof file.name === 'string' ? file.name : 'recording');
    const tusOptions: UploadOptions = {
      endpoint,
      ...(options.uploadId !== undefined && { uploadUrl: `${endpoint}/${encodeURIComponent(options.uploadId)}` }),
      headers: deps.headers,
      metadata: { filename: name, filetype: file.type },
      retryDelays: [...delaysMs],
      storeFingerprintForResuming: false,
      ...toPlatformOptions(options.partBytes),
      onUploadUrlAvailable: () => options.onUploadId?.(toUploadId()),
      onProgress: (sent, total) => options.onProgress?.(sent, total),
      onAfterResponse(request, response) {
        // The library would begin another upload from the start; it is better to ask again a little later.
        if (request.getMethod() === 'HEAD' && response.getStatus() >= 500) throw toApiError(response);
      },
      onShouldRetry(error) {
        const passing = isPassing(error.originalResponse?.getStatus() ?? 0);
        if (passing) options.onWaiting?.();
        return passing;
      },
      onError: (error) => finish(() => settle.reject(toError(error))),
      onSuccess() {
        making = makeUnlessCancelled();
      },
    };
    upload = new Upload(file as File, tusOptions);
    if (!isPaused) upload.start();
  };
  const begun = begin().catch((error) => finish(() => settle.reject(error)));

  return {
    lecture,
    async pause() {
      isPaused = true;
      await upload?.abort();
    },
    resume() {
      if (!isPaused || over.signal.aborted) return;
      isPaused = false;
      upload?.start();
    },
    async cancel() {
      // Whoever cancels it need not wait for it.
      lecture.catch(() => {});
      finish(() => settle.reject(new DOMException('The upload was cancelled.', 'AbortError')));
      await begun;
      await making;
      // What cannot be removed now expires.
      await upload?.abort(true).catch(() => {});
    },
  };
}

/** Ends early when the signal is aborted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const stop = () => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener('abort', stop, { once: true });
  });
}

/** Whether an answer of this status may be another one soon; 0: there was none. */
function isPassing(status: number): boolean {
  return status === 0 || status >= 500 || status === 409 || status === 423;
}

/** In Node the library takes no Blobs: they are given to it in parts that fit into memory. */
function toPlatformOptions(partBytes: number | undefined): Partial<UploadOptions> {
  if ('XMLHttpRequest' in globalThis) return partBytes === undefined ? {} : { chunkSize: partBytes };
  return {
    chunkSize: partBytes ?? nodePartBytes,
    fileReader: {
      openFile: async (blob: Blob) => ({
        size: blob.size,
        async slice(start: number, end: number) {
          const part = new Uint8Array(await blob.slice(start, end).arrayBuffer());
          // The size becomes the Content-Length.
          return { value: Object.assign(part, { size: part.length }), done: end >= blob.size };
        },
        close() {},
      }),
    },
  };
}

function toError(error: Error | DetailedError): Error {
  const response = 'originalResponse' in error ? error.originalResponse : null;
  if (response) return toApiError(response);
  const cause = 'causingError' in error ? error.causingError : null;
  if (cause instanceof ApiError) return cause;
  return new TypeError('The connection was lost before the whole recording had been sent.', { cause: error });
}

function toApiError(response: HttpResponse): ApiError {
  let body: unknown;
  try {
    body = JSON.parse(response.getBody());
  } catch {
    body = undefined;
  }
  const retryAfter = Number(response.getHeader('retry-after') ?? Number.NaN);
  const requestId = response.getHeader('x-request-id') ?? null;
  return new ApiError(response.getStatus(), requestId, Number.isFinite(retryAfter) ? retryAfter : null, body);
}
