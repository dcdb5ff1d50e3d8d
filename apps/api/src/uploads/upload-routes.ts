import { createHash } from 'node:crypto';
import type { Config } from '@studymate/config/config';
import { AppError } from '@studymate/contracts/errors';
import { createId, idSchema } from '@studymate/contracts/ids';
import type { UploadLock, UploadLocks } from '@studymate/queue/upload-locks';
import type { StoredUpload, UploadStore } from '@studymate/storage/upload-store';
import type { Request, Response, Router } from 'express';
import type { Authenticator } from '../auth/authenticate.ts';
import { ownerOf } from '../auth/owner.ts';
import { addRoute } from '../http/add-route.ts';
import { callerGone } from '../http/caller-gone.ts';
import { lingerOn } from '../http/linger.ts';
import { createTurns } from '../turns.ts';
import { receivePart } from './receive-part.ts';
import { noSuchUpload, toUploadError } from './tus-errors.ts';
import type { TusExchange } from './tus-exchange.ts';
import { tusRequestHeaders, tusResponseHeaders, tusVersion } from './tus-headers.ts';

const path = '/api/v1/uploads';
const partType = 'application/offset+octet-stream';
/** A file's name and type take a tenth of it. */
const maxMetadataBytes = 4_096;

/**
 * Resumable uploads (tus 1.0): /api/v1/uploads and /api/v1/uploads/:id. An upload is its owner's; whoever has the lock
 * may work on it, in whichever copy of the API.
 */
export function addUploadRoutes(
  router: Router,
  deps: {
    config: Config;
    uploads: UploadStore;
    locks: UploadLocks;
    auth: Authenticator;
    /** Fires when the process is about to end: uploads in progress are to go on elsewhere. */
    stopping: AbortSignal;
  },
): void {
  const { uploads, locks, auth, stopping } = deps;
  const { maxUploadBytes } = deps.config.limits;
  const { ttlMs, maxUnfinishedPerOwner } = deps.config.uploads;
  const turns = createTurns();

  const readOwn = async (owner: string, id: string): Promise<StoredUpload> => {
    const upload = await uploads.read(owner, id);
    if (!upload) throw noSuchUpload();
    return upload;
  };

  const create = (owner: string, upload: Parameters<TusExchange['create']>[0]) =>
    // One after the other, so that a burst of them cannot pass the limit together.
    turns.take(owner, async () => {
      const limit = maxUnfinishedPerOwner;
      if (limit !== null && (await uploads.countOpen(owner, { ttlMs, enough: limit })) >= limit) {
        const message = `You have ${limit} uploads that are no lecture yet; finish or delete some of them.`;
        throw new AppError('too_many_uploads', message, { details: { limit } });
      }
      await uploads.create({ owner, ...upload });
    });

  const receive = async (req: Request, upload: StoredUpload, held: UploadLock, giveWay: AbortSignal) => {
    const { offset, bytes } = upload;
    if (offset === bytes) {
      // All had come, and the process ended before that was noted.
      if (bytes > 0) await uploads.finish(upload);
      return offset;
    }
    const writer = await uploads.append(upload, offset);
    const hash = offset === 0 ? createHash('sha256') : null;
    let received: number;
    try {
      received = await receivePart(req, {
        maxBytes: bytes - offset,
        giveWay: AbortSignal.any([giveWay, held.lost, stopping]),
        async write(piece) {
          if (!held.isHeld()) throw new AppError('upload_locked', 'The lock on the upload was lost.');
          hash?.update(piece);
          await writer.write(piece);
        },
      });
    } finally {
      await writer.close();
    }
    // The hash of a part says nothing: what came in several is read once more.
    if (offset + received === bytes) await uploads.finish(upload, hash?.digest('hex'));
    return offset + received;
  };

  const serve = (method: string) => async (req: Request, res: Response) => {
    res.setHeader('tus-resumable', tusVersion);
    checkRequest(method, req, res);
    const owner = ownerOf(res);
    const id = req.params.id === undefined ? null : String(req.params.id);
    if (id !== null && method !== 'OPTIONS') {
      if (!idSchema.safeParse(id).success) throw noSuchUpload();
      await readOwn(owner, id);
    }
    if (method === 'PATCH') auth.endWhenRevoked(req, res);
    const gone = callerGone(res);
    let held: UploadLock | undefined;
    let giveWay: AbortSignal = gone;
    // Loaded by the first upload, not at the start.
    const { exchangeTus, toTusErrorName } = await import('./tus-exchange.ts');
    const outcome = await exchangeTus({
      method,
      headers: toTusHeaders(req),
      path,
      id,
      newId: createId,
      maxBytes: maxUploadBytes,
      ttlMs,
      async lock(lockId, signal, wanted) {
        giveWay = signal;
        try {
          held = await locks.acquire(lockId, { signal: AbortSignal.any([signal, gone]), onWanted: wanted });
          return held;
        } catch (error) {
          // tus-js-client begins another upload from the start when it cannot ask where one ends.
          const isAway = error instanceof AppError && error.code === 'queue_unavailable';
          if (method === 'HEAD' && isAway) return { release: async () => {} };
          throw error;
        }
      },
      create: (upload) => create(owner, upload),
      read: (uploadId) => readOwn(owner, uploadId),
      async append(uploadId, offset) {
        const upload = await readOwn(owner, uploadId);
        if (!held || upload.offset !== offset) throw new AppError('internal', 'A part came at a wrong time.');
        return receive(req, upload, held, giveWay);
      },
      async remove(uploadId) {
        if (!(await uploads.remove(owner, uploadId))) throw noSuchUpload();
      },
    });
    if ('thrown' in outcome) {
      throw toUploadError(toTusErrorName(outcome.thrown), outcome.thrown, maxUploadBytes);
    }
    if (outcome.status >= 400) throw new AppError('invalid_request', `${outcome.text.trim()}.`);
    if (res.destroyed) return;
    for (const name of tusResponseHeaders) {
      const value = outcome.headers.get(name);
      if (value !== null) res.setHeader(name, value);
    }
    // What is left of a body when its sender had to give way.
    lingerOn(req);
    if (stopping.aborted) res.setHeader('connection', 'close');
    res.status(outcome.status).end();
  };

  const options = serve('OPTIONS');
  addRoute(router, path, { post: serve('POST'), options });
  addRoute(router, `${path}/:id`, {
    head: serve('HEAD'),
    patch: serve('PATCH'),
    delete: serve('DELETE'),
    // For what cannot send these methods: https://tus.io/protocols/resumable-upload#x-http-method-override
    post(req, res) {
      const method = String(req.headers['x-http-method-override']).toUpperCase();
      if (method !== 'PATCH' && method !== 'DELETE' && method !== 'HEAD') {
        throw new AppError('invalid_request', 'X-HTTP-Method-Override: must be PATCH, DELETE or HEAD here');
      }
      return serve(method)(req, res);
    },
    options,
  });
}

/** What the library would refuse in words of its own, or with another status. */
function checkRequest(method: string, req: Request, res: Response): void {
  if (method === 'OPTIONS') return;
  if (req.headers['tus-resumable'] !== tusVersion) {
    res.setHeader('tus-version', tusVersion);
    throw new AppError('tus_version', `Tus-Resumable: must be ${tusVersion}`);
  }
  if (method === 'PATCH') {
    if (req.headers['content-type']?.toLowerCase() !== partType) {
      throw new AppError('unsupported_content_type', `Send the bytes as ${partType}.`);
    }
    if (req.headers['upload-offset'] === undefined) throw new AppError('invalid_request', 'Upload-Offset: is missing');
  }
  const metadata = req.headers['upload-metadata'] ?? '';
  if (metadata.length > maxMetadataBytes) {
    throw new AppError('invalid_request', `Upload-Metadata: may have ${maxMetadataBytes} bytes`);
  }
}

function toTusHeaders(req: Request): Headers {
  const headers = new Headers();
  for (const name of tusRequestHeaders) {
    const value = req.headers[name.toLowerCase()];
    // An empty list of metadata is none; Uppy sends it for a file without a name.
    if (typeof value === 'string' && value !== '') headers.set(name, value);
  }
  return headers;
}
