import type { StoredUpload } from '@studymate/storage/upload-store';
import { DataStore, ERRORS, type Lock, Server, Upload } from '@tus/server';

/** One request of the tus protocol, and what it may do. */
export interface TusExchange {
  /** As the protocol sees it: an override counts. */
  method: string;
  headers: Headers;
  /** `path` is that of all uploads; `id` that of the request's own upload, null where it begins one. */
  path: string;
  id: string | null;
  newId(): string;
  maxBytes: number;
  ttlMs: number;
  /** @param giveWay fires when the holder's time is over; `wanted` is to be called when somebody else wants the lock */
  lock(id: string, giveWay: AbortSignal, wanted: () => void): Promise<{ release(): Promise<void> }>;
  create(upload: { id: string; bytes: number; metadata: Record<string, string | null> }): Promise<void>;
  read(id: string): Promise<StoredUpload>;
  /** Takes the body of the request. @returns the new offset */
  append(id: string, offset: number): Promise<number>;
  remove(id: string): Promise<void>;
}

/** What came of a request: an answer, or what was thrown. `text` is the library's own where it refuses a header. */
export type TusOutcome = { status: number; headers: Headers; text: string } | { thrown: unknown };

/** The library's own errors. */
export type TusErrorName = keyof typeof ERRORS;

/** So long a request that holds the lock may go on when another wants it. */
const giveWayAfterMs = 250;

/**
 * Has the library answer one request. It keeps the protocol: which answer and which headers belong to which state. It
 * is not given the body, because it would lead it through web streams and back: the store takes it from the socket.
 */
export async function exchangeTus(exchange: TusExchange): Promise<TusOutcome> {
  let caught: { thrown: unknown } | undefined;
  const server = new Server({
    path: exchange.path,
    datastore: new RequestStore(exchange),
    relativeLocation: true,
    namingFunction: () => exchange.newId(),
    maxSize: exchange.maxBytes,
    locker: { newLock: (id) => toLock(exchange, id) },
    lockDrainTimeout: giveWayAfterMs,
    onResponseError: (_request, error) => {
      caught = { thrown: error };
      return undefined;
    },
  });
  const { method, headers, path, id } = exchange;
  const url = `http://localhost${path}${id === null ? '' : `/${id}`}`;
  const response = await server.handleWeb(new Request(url, { method, headers }));
  if (caught) return caught;
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** @returns the library's name of an error of its own, or null for any other thrown value */
export function toTusErrorName(thrown: unknown): TusErrorName | null {
  const names = Object.keys(ERRORS) as TusErrorName[];
  return names.find((name) => ERRORS[name] === thrown) ?? null;
}

function toLock(exchange: TusExchange, id: string): Lock {
  let held: { release(): Promise<void> } | undefined;
  return {
    async lock(giveWay, requestRelease) {
      held = await exchange.lock(id, giveWay, () => void requestRelease());
    },
    async unlock() {
      await held?.release();
    },
  };
}

/**
 * No deferred length: a recording has one. No concatenation: the parts would have to be copied.
 * https://tus.io/protocols/resumable-upload#protocol-extensions
 */
const extensions = ['creation', 'creation-with-upload', 'termination', 'expiration'];

class RequestStore extends DataStore {
  readonly #exchange: TusExchange;

  constructor(exchange: TusExchange) {
    super();
    this.#exchange = exchange;
    this.extensions = extensions;
  }

  override async create(upload: Upload): Promise<Upload> {
    await this.#exchange.create({ id: upload.id, bytes: upload.size ?? 0, metadata: upload.metadata ?? {} });
    return upload;
  }

  override async getUpload(id: string): Promise<Upload> {
    const { bytes, offset, metadata, touchedMs } = await this.#exchange.read(id);
    return new Upload({
      id,
      size: bytes,
      offset,
      ...(Object.keys(metadata).length > 0 && { metadata }),
      // The library counts the time to live from here.
      creation_date: new Date(touchedMs).toISOString(),
    });
  }

  override async write(stream: NodeJS.ReadableStream, id: string, offset: number): Promise<number> {
    stream.resume();
    return this.#exchange.append(id, offset);
  }

  override async remove(id: string): Promise<void> {
    await this.#exchange.remove(id);
  }

  override getExpiration(): number {
    return this.#exchange.ttlMs;
  }
}
