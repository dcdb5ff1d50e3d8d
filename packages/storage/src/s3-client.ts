import http from 'node:http';
import https from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '@studymate/contracts/errors';
import type { S3Place } from '@studymate/contracts/places';
import { sign } from 'aws4';
import { systemCode } from './file-system.ts';
import { readElement } from './s3-xml.ts';

export interface S3Request {
  method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Without our prefix; null for the bucket itself. */
  key: string | null;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: Uint8Array;
}

export interface S3Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
  /** An earlier try of the same request may have been carried out, although no answer to it came. */
  isRepeated: boolean;
}

/** Signed requests to one bucket. */
export interface S3Client {
  /** For people and errors. */
  readonly name: string;
  readonly prefix: string;
  /**
   * Sends a request, up to four times: for about two seconds while the server is away or busy, for some six while it
   * says nothing; longer where the request has a large body.
   * @param options.patienceMs how long the server may say nothing, all tries together
   * @returns also answers that refuse
   * @throws AppError `storage_unavailable` when there was none
   */
  send(request: S3Request, options?: { maxBytes?: number; patienceMs?: number }): Promise<S3Answer>;
  /** Sends a request once, and gives what comes as it comes. The caller reads it to its end or destroys it. */
  open(request: S3Request): Promise<http.IncomingMessage>;
  close(): void;
}

/** What the server says when it will not do something, however often it is asked. For operators: it names the bucket. */
export class S3Refusal extends Error {
  override readonly name = 'S3Refusal';
}

/** So long a request may go without a sign of life, all tries together; the wait for a free connection counts. */
const defaultPatienceMs = 6_000;
/** What a body may take on a slow line comes on top: 256 kB a second. */
const slowestBytesPerMs = 256;
/** A stream without a byte for so long, or a reader that takes none, is read on with another request. */
const idleMs = 20_000;
const maxTries = 4;
const firstPauseMs = 60;
/** Lists of a thousand keys take some 300 kB. */
const defaultMaxBytes = 8 * 1024 * 1024;
/** Calls end soon; who listens to a recording keeps a connection for as long as that takes. */
const maxCalls = 64;
const maxStreams = 512;

const busyCodes = new Set(['ConditionalRequestConflict', 'OperationAborted', 'RequestTimeout', 'SlowDown']);
const fullCodes = /StorageFull|QuotaExceeded|InsufficientStorage|TooMuchData/;

/**
 * A client of what speaks S3 (https://docs.aws.amazon.com/AmazonS3/latest/API), with signature version 4. Bodies are
 * signed as well, so that what arrives is what was sent, also without TLS.
 */
export function createS3Client(
  options: S3Place,
  { patienceMs: usualPatienceMs = defaultPatienceMs }: { patienceMs?: number } = {},
): S3Client {
  const endpoint = new URL(options.endpoint);
  const isTls = endpoint.protocol === 'https:';
  const host = options.pathStyle ? endpoint.host : `${options.bucket}.${endpoint.host}`;
  const basePath = `${endpoint.pathname.replace(/\/$/, '')}${options.pathStyle ? `/${options.bucket}` : ''}`;
  const { Agent, request: transport } = isTls ? https : http;
  const agents = {
    calls: new Agent({ keepAlive: true, maxSockets: maxCalls, scheduling: 'lifo' }),
    streams: new Agent({ keepAlive: true, maxSockets: maxStreams, scheduling: 'lifo' }),
  };
  const credentials = {
    accessKeyId: options.accessKeyId,
    secretAccessKey: options.secretAccessKey,
    ...(options.sessionToken !== null && { sessionToken: options.sessionToken }),
  };

  let isClosed = false;

  const start = (request: S3Request, agent: http.Agent, signal: AbortSignal): Promise<http.IncomingMessage> =>
    new Promise((resolve, reject) => {
      if (isClosed) throw new AppError('storage_unavailable', 'The store is closed.');
      const body = request.body && Buffer.from(request.body.buffer, request.body.byteOffset, request.body.byteLength);
      const query = new URLSearchParams(request.query).toString().replaceAll('+', '%20');
      const path = request.key === null ? basePath || '/' : `${basePath}/${options.prefix}${request.key}`;
      const signed = sign(
        {
          service: 's3',
          region: options.region,
          method: request.method,
          path: query === '' ? path : `${path}?${query}`,
          headers: {
            Host: host,
            ...(body && { 'Content-Type': 'application/octet-stream', 'Content-Length': body.length }),
            ...request.headers,
          },
          ...(body && { body }),
        },
        credentials,
      );
      const sent = transport({
        agent,
        hostname: host.replace(/:\d+$/, '').replace(/^\[|\]$/g, ''),
        port: endpoint.port === '' ? undefined : Number(endpoint.port),
        method: request.method,
        path: signed.path,
        headers: signed.headers as http.OutgoingHttpHeaders,
        ...(agent === agents.streams && { timeout: idleMs }),
      });
      sent.once('response', resolve);
      sent.on('error', reject);
      sent.once('timeout', () => sent.destroy(new Error(`no byte within ${idleMs / 1000} s`)));
      signal.addEventListener('abort', () => {
        // A request that still waits for a connection tells of its end only when it gets one.
        reject(signal.reason);
        sent.destroy(signal.reason);
      });
      sent.end(body);
    });

  return {
    name: `${options.bucket} at ${endpoint.host}`,
    prefix: options.prefix,
    async send(request, { maxBytes = defaultMaxBytes, patienceMs = usualPatienceMs } = {}) {
      const wholeMs = patienceMs + (request.body?.length ?? 0) / slowestBytesPerMs;
      const endMs = performance.now() + wholeMs;
      for (let tries = 1; ; tries++) {
        const isRepeated = tries > 1;
        const pauseMs = firstPauseMs * 4 ** (tries - 1) * (0.5 + Math.random());
        const silence = limitSilence(Math.min(wholeMs / 2, endMs - performance.now()));
        const isLast = () => tries === maxTries || performance.now() + pauseMs >= endMs;
        try {
          const response = await start(request, agents.calls, silence.signal);
          const body = await collect(response, maxBytes, silence.broken);
          const answer = { status: response.statusCode ?? 0, headers: response.headers, body, isRepeated };
          if (!isBusy(answer) || isLast()) return answer;
        } catch (thrown) {
          if (thrown instanceof AppError) throw thrown;
          if (isLast()) throw unavailable(silence.signal.aborted ? silence.signal.reason : thrown);
        } finally {
          silence.end();
        }
        await delay(pauseMs);
      }
    },
    async open(request) {
      const silence = limitSilence(usualPatienceMs / 2);
      try {
        return await start(request, agents.streams, silence.signal);
      } finally {
        silence.end();
      }
    },
    close() {
      isClosed = true;
      agents.calls.destroy();
      agents.streams.destroy();
    },
  };
}

/** A signal that fires when nothing has come for so long; `broken` says that something has. */
function limitSilence(ms: number): { signal: AbortSignal; broken(): void; end(): void } {
  const controller = new AbortController();
  const reason = new Error(`no answer within ${(ms / 1000).toFixed(1)} s`);
  const timer = setTimeout(() => controller.abort(reason), ms);
  return { signal: controller.signal, broken: () => timer.refresh(), end: () => clearTimeout(timer) };
}

/** @throws AppError `internal` when it has more bytes than it may */
async function collect(response: http.IncomingMessage, maxBytes: number, onPart: () => void): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    onPart();
    bytes += part.length;
    if (bytes > maxBytes) throw new AppError('internal', 'The blob is too large to be read at once.');
    parts.push(part);
  }
  const [only] = parts;
  return parts.length === 1 && only ? only : Buffer.concat(parts, bytes);
}

function isBusy(answer: S3Answer): boolean {
  const { status } = answer;
  if (status === 429 || (status >= 500 && status !== 501 && status !== 507)) return true;
  return status >= 400 && busyCodes.has(readCode(answer));
}

/** S3's word for what is wrong, or '' where it gives none (as in answers to HEAD). */
export function readCode(answer: Pick<S3Answer, 'status' | 'body'>): string {
  return answer.status < 300 ? '' : (readElement(answer.body.toString('utf8'), 'Code') ?? '');
}

/** What TLS says when it will not do; the same tomorrow. */
const tlsCodes = /^(EPROTO|CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

/** Whether another try will not change it: the server refuses, is no partner for TLS, or the fault is ours. */
export function isLasting(thrown: unknown): boolean {
  if (!(thrown instanceof AppError)) return true;
  return thrown.cause instanceof S3Refusal || tlsCodes.test(systemCode(thrown.cause));
}

/** A lost connection as a coded error. Its message, which callers see, names no address; its cause does. */
export function unavailable(cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  const code = systemCode(cause);
  return new AppError('storage_unavailable', `The store cannot be reached${code && ` (${code})`}.`, { cause });
}

/**
 * An answer that refuses, as a coded error: `storage_full`, `storage_unavailable`. What is not likely to change by
 * itself has an S3Refusal as its cause.
 */
export function toS3Error(client: Pick<S3Client, 'name'>, answer: Pick<S3Answer, 'status' | 'body'>): AppError {
  const code = readCode(answer);
  const said = code === '' ? `status ${answer.status}` : code;
  if (answer.status === 507 || fullCodes.test(code)) {
    return new AppError('storage_full', `There is no room left in the store (${said}).`);
  }
  const message = `The store cannot be used (${said}).`;
  if ((answer.status >= 500 && answer.status !== 501) || answer.status === 429)
    return new AppError('storage_unavailable', message);
  const detail = readElement(answer.body.toString('utf8'), 'Message') ?? '';
  const cause = new S3Refusal(`the bucket ${client.name}: ${said} ${detail.slice(0, 500)}`.trim());
  return new AppError('storage_unavailable', message, { cause });
}
