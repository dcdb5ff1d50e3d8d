import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ErrorCode } from '@studymate/contracts/errors';
import { listen } from '@studymate/observability/listen';
import { lingerOn } from './http/linger.ts';

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
}

/** nginx keeps idle upstream connections for 60 s; ours must live longer, or it would write into closed ones. */
const keepAliveTimeoutMs = 65_000;
const headersTimeoutMs = 15_000;
/** Requests that wait for the app to be loaded; it takes less than a second. */
const maxWaiting = 1_000;

/**
 * The public listener. It answers /health/fast by itself, without any input or output and before the rest of the
 * app is loaded; every other request waits for `open`.
 * @throws when the port is taken
 */
export async function createFront(options: FrontOptions): Promise<Front> {
  let handler: RequestListener | undefined;
  let waiting: [IncomingMessage, ServerResponse][] = [];
  let isClosing = false;
  const dispatch = (req: IncomingMessage, res: ServerResponse) => {
    if (handler) handler(req, res);
    else if (!isClosing && waiting.length < maxWaiting) waiting.push([req, res]);
    else sendUnavailable(req, res);
  };
  const server = createServer(
    // No limit to the time of a whole request: uploads are long. Whoever reads a body sets one on standing still.
    { keepAliveTimeout: keepAliveTimeoutMs, headersTimeout: headersTimeoutMs, requestTimeout: 0 },
    (req, res) => {
      if (req.url === '/health/fast' && (req.method === 'GET' || req.method === 'HEAD')) sendFastHealth(res);
      else dispatch(req, res);
    },
  );
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => {
    // Without "100 Continue" the client does not send the body, and the app refuses it by its Content-Length.
    if (!(Number(req.headers['content-length'] ?? 0) > options.maxBodyBytes)) res.writeContinue();
    dispatch(req, res);
  });
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
  const error = {
    code: 'unavailable' satisfies ErrorCode,
    message: 'This copy of the API is just starting or stopping.',
    requestId: randomUUID(),
  };
  res
    .writeHead(503, {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'retry-after': '1',
      connection: 'close',
    })
    .end(JSON.stringify({ error }));
  return sent;
}

function sendFastHealth(res: ServerResponse): void {
  const body = `{"status":"ok","timestamp":"${new Date().toISOString()}"}`;
  res
    .writeHead(200, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': body.length,
      'cache-control': 'no-store',
    })
    .end(body);
}
