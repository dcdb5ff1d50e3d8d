import { randomUUID } from 'node:crypto';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { Socket } from 'node:net';
import { type ErrorCode, errorCatalogue } from '@studymate/contracts/errors';
import { listen } from '@studymate/observability/listen';
import { lingerOn } from './http/linger.ts';
import { toRequestId } from './http/request-id.ts';

export interface Front {
  readonly server: Server;
  readonly port: number;
  /** Gives every request, also those that came before, to the app. */
  open(handler: RequestListener): void;
  /**
   * Takes no new connection, lets open requests finish, and cuts off what is left after `graceMs`. Requests that still
   * wait for `open` are told to come back.
   */
  close(graceMs: number): Promise<void>;
}

export interface FrontOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** A request that announces a body larger than this is not asked to send it. */
  maxBodyBytes: number;
  /** Within which all headers of a request must have come; 15 s unless given. */
  headersTimeoutMs?: number;
}

/** nginx keeps idle upstream connections for 60 s; ours must live longer, or it would write into closed ones. */
const keepAliveTimeoutMs = 65_000;
const defaultHeadersTimeoutMs = 15_000;
/** Requests that wait for the app to be loaded; it takes less than a second. */
const maxWaiting = 1_000;

/**
 * The public listener. It answers /health/fast by itself, without any input or output and before the rest of the
 * app is loaded; every other request waits for `open`.
 * @throws when the port is taken
 */
export async function createFront(options: FrontOptions): Promise<Front> {
  const { headersTimeoutMs = defaultHeadersTimeoutMs } = options;
  let handler: RequestListener | undefined;
  let waiting: [IncomingMessage, ServerResponse][] = [];
  let isClosing = false;
  const dispatch = (req: IncomingMessage, res: ServerResponse) => {
    if (handler) handler(req, res);
    else if (!isClosing && waiting.length < maxWaiting) waiting.push([req, res]);
    else sendUnavailable(req, res);
  };
  const server = createServer(
    // No limit to the time of a whole request: uploads are long. Whoever reads a body asks for a least rate.
    {
      keepAliveTimeout: keepAliveTimeoutMs,
      headersTimeout: headersTimeoutMs,
      requestTimeout: 0,
      // How often Node looks for connections whose headers are late.
      connectionsCheckingInterval: Math.min(5_000, headersTimeoutMs),
    },
    (req, res) => {
      if (req.url === '/health/fast' && (req.method === 'GET' || req.method === 'HEAD')) sendFastHealth(req, res);
      else dispatch(req, res);
    },
  );
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => {
    // Without "100 Continue" the client does not send the body, and the app refuses it by its Content-Length.
    if (!(Number(req.headers['content-length'] ?? 0) > options.maxBodyBytes)) res.writeContinue();
    dispatch(req, res);
  });
  server.on('clientError', refuseUnreadable);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const port = await listen(server, options);

  return {
    server,
    port,
    open(given) {
      if (isClosing) return;
      handler = given;
      for (const [req, res] of waiting) if (!res.destroyed) given(req, res);
      waiting = [];
    },
    async close(graceMs) {
      isClosing = true;
      const refused = waiting.map(([req, res]) => sendUnavailable(req, res));
      waiting = [];
      // Closing takes a connection for idle as soon as its answer has ended, also one that is not sent yet.
      await Promise.all(refused);
      await new Promise<void>((resolve) => {
        const cutOff = setTimeout(() => server.closeAllConnections(), graceMs);
        server.close(() => {
          clearTimeout(cutOff);
          resolve();
        });
        server.closeIdleConnections();
        // Node takes a connection on which nothing has come yet for busy; browsers open such ones to have them at hand.
        for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
      });
    },
  };
}

/**
 * Nothing of the request was done: any other copy, or the next one here, may do it.
 * @returns when the answer is sent, or its reader gone
 */
function sendUnavailable(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const sent = new Promise<void>((resolve) => {
    if (res.destroyed) resolve();
    res.once('close', resolve);
  });
  lingerOn(req);
  const requestId = toRequestId(req.headers);
  const error = {
    code: 'unavailable' satisfies ErrorCode,
    message: 'This copy of the API is just starting or stopping.',
    requestId,
  };
  res
    .writeHead(503, {
      'x-request-id': requestId,
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'retry-after': '1',
      connection: 'close',
    })
    .end(JSON.stringify({ error }));
  return sent;
}

/** Answers what is no request that could be given to the app, in the form of its errors, and ends the connection. */
function refuseUnreadable(error: Error & { code?: string }, socket: Socket): void {
  // After an earlier answer, which may not be at its end, nothing can be said any more.
  if (!socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const [code, message] = whyUnreadable(error.code);
  const { status } = errorCatalogue[code];
  const requestId = randomUUID();
  const body = JSON.stringify({ error: { code, message, requestId } });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    'cache-control: no-store',
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

function whyUnreadable(errorCode = ''): [ErrorCode, string] {
  switch (errorCode) {
    case 'HPE_HEADER_OVERFLOW':
      return ['headers_too_large', 'The headers of the request are too large.'];
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return ['request_timeout', 'The headers of the request did not come in time.'];
    default:
      return ['invalid_request', 'This is no HTTP request.'];
  }
}

function sendFastHealth(req: IncomingMessage, res: ServerResponse): void {
  const body = `{"status":"ok","timestamp":"${new Date().toISOString()}"}`;
  res
    .writeHead(200, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': body.length,
      'cache-control': 'no-store',
      'x-request-id': toRequestId(req.headers),
    })
    .end(body);
}
