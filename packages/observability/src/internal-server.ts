import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listen } from './listen.ts';
import type { Metrics } from './metrics.ts';

export interface Readiness {
  ready: boolean;
  /** Shown as they are, by part: what is ready and what is not. */
  [part: string]: unknown;
}

export interface InternalServerOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  metrics: Metrics;
  /** Asked for each /health/ready. When it fails or takes longer than `readinessTimeoutMs`, the answer is 503. */
  readiness: () => Promise<Readiness>;
  readinessTimeoutMs?: number;
  /** Everything but /metrics and /health/…; 404 without it. */
  handler?: (req: IncomingMessage, res: ServerResponse) => void;
}

export interface InternalServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * The listener that only operators reach: /metrics, /health/live (no input or output of any kind), /health/ready.
 * @throws when the port is taken
 */
export async function createInternalServer(options: InternalServerOptions): Promise<InternalServer> {
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (req, res) => {
    respond(options, req, res).catch(() => {
      if (!res.headersSent) sendJson(res, 500, { status: 'error' });
      else res.destroy();
    });
  });
  const port = await listen(server, options);
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function respond(options: InternalServerOptions, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const pathname = (req.url ?? '/').split('?', 1)[0];
  const isRead = req.method === 'GET' || req.method === 'HEAD';
  if (pathname === '/metrics' && isRead) {
    const text = await options.metrics.text();
    res.writeHead(200, { 'content-type': options.metrics.registry.contentType }).end(text);
  } else if ((pathname === '/health/live' || pathname === '/health/fast') && isRead) {
    sendJson(res, 200, { status: 'ok', timestamp: new Date().toISOString() });
  } else if (pathname === '/health/ready' && isRead) {
    const readiness = await readWithin(options.readiness, options.readinessTimeoutMs ?? 2_500);
    const { ready, ...parts } = readiness;
    sendJson(res, ready ? 200 : 503, { status: ready ? 'ready' : 'not_ready', ...parts });
  } else if (options.handler) {
    options.handler(req, res);
  } else {
    sendJson(res, 404, { error: { code: 'not_found', message: 'There is no such path here.' } });
  }
}

async function readWithin(readiness: () => Promise<Readiness>, timeoutMs: number): Promise<Readiness> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Readiness>((resolve) => {
    timer = setTimeout(() => resolve({ ready: false, reason: `no answer within ${timeoutMs} ms` }), timeoutMs);
  });
  const asked = readiness().catch((error: unknown) => ({
    ready: false,
    reason: error instanceof Error ? error.message : String(error),
  }));
  const result = await Promise.race([asked, late]);
  clearTimeout(timer);
  return result;
}

function sendJson(res: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  res
    .writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
    })
    .end(text);
}
