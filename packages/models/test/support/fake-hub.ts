import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const revision = 'a0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f7a8b9';
export const modelId = 'some-maker/whisper-made';

/** What the store of large files does with one request instead of what it should. */
export type Fault =
  | { kind: 'cut'; afterBytes: number }
  | { kind: 'other-content' }
  | { kind: 'endless' }
  | { kind: 'silent' }
  | { kind: 'status'; status: number }
  | { kind: 'whole' };

/** A server that behaves like huggingface.co, and the other one where it keeps large files. */
export interface FakeHub {
  url: string;
  files: Map<string, Buffer>;
  /** Taken one for each GET of a large file, from the front. */
  faults: Fault[];
  /** Every request to the hub (hub) and to the store of large files (cdn). */
  requests: { server: 'hub' | 'cdn'; method: string; path: string; range?: string; token?: string }[];
  /** "request" before each answer of the large files' store. */
  events: EventEmitter;
  /** The token without which nothing is shown, or null. */
  token: string | null;
  /** Said in place of the revision. */
  commit: string;
  /** Where large files are said to be; null: at the store of large files. */
  redirectTo: string | null;
  close(): Promise<void>;
}

/** Files from so many bytes on lie in the store of large files. */
const largeBytes = 1_000;

export async function openFakeHub(files: Record<string, Buffer | string>): Promise<FakeHub> {
  const cdn = createServer((req, res) => serveLarge(hub, req, res));
  const main = createServer((req, res) => serveHub(hub, cdnUrl, req, res));
  await Promise.all([listen(cdn), listen(main)]);
  const cdnUrl = urlOf(cdn);
  const hub: FakeHub = {
    url: urlOf(main),
    files: new Map(Object.entries(files).map(([name, content]) => [name, Buffer.from(content)])),
    faults: [],
    requests: [],
    events: new EventEmitter(),
    token: null,
    commit: revision,
    redirectTo: null,
    async close() {
      for (const server of [main, cdn]) {
        const closed = once(server, 'close');
        server.close();
        server.closeAllConnections();
        await closed;
      }
    },
  };
  return hub;
}

function serveHub(hub: FakeHub, cdnUrl: string, req: IncomingMessage, res: ServerResponse): void {
  const url = new URL(req.url ?? '/', hub.url);
  note(hub, 'hub', req);
  const cached = /^\/api\/resolve-cache\/(.+)$/.exec(url.pathname)?.[1];
  const [, id, named, file = ''] = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(url.pathname) ?? [];
  if (hub.token !== null && req.headers.authorization !== `Bearer ${hub.token}`) {
    res.writeHead(401, { 'x-error-code': 'GatedRepo' }).end();
    return;
  }
  const content = hub.files.get(cached ?? file);
  if (cached !== undefined && content) {
    // Small files are known by git's hash.
    const etag = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
    res.writeHead(200, { etag: `"${etag}"`, 'content-length': content.length, 'x-repo-commit': hub.commit });
    res.end(req.method === 'HEAD' ? undefined : content);
    return;
  }
  const reason = id !== modelId ? 'RepoNotFound' : named !== revision ? 'RevisionNotFound' : 'EntryNotFound';
  if (reason !== 'EntryNotFound' || !content) {
    res.writeHead(404, { 'x-error-code': reason }).end();
    return;
  }
  if (content.length < largeBytes) {
    res.writeHead(307, { location: `/api/resolve-cache/${file}`, 'x-repo-commit': hub.commit }).end();
    return;
  }
  res.writeHead(302, {
    location: hub.redirectTo ?? `${cdnUrl}/${file}?signature=1`,
    'x-linked-etag': `"${createHash('sha256').update(content).digest('hex')}"`,
    'x-linked-size': content.length,
    'x-repo-commit': hub.commit,
  });
  res.end();
}

function serveLarge(hub: FakeHub, req: IncomingMessage, res: ServerResponse): void {
  note(hub, 'cdn', req);
  hub.events.emit('request');
  const content = hub.files.get(new URL(req.url ?? '/', hub.url).pathname.slice(1)) ?? Buffer.alloc(0);
  const fault = hub.faults.shift();
  if (fault?.kind === 'status') {
    res.writeHead(fault.status).end();
    return;
  }
  const from = fault?.kind === 'whole' ? 0 : Number(/^bytes=(\d+)-$/.exec(req.headers.range ?? '')?.[1] ?? 0);
  if (from >= content.length) {
    res.writeHead(416).end();
    return;
  }
  const rest = fault?.kind === 'other-content' ? Buffer.alloc(content.length - from, 'x') : content.subarray(from);
  if (fault?.kind === 'endless') {
    res.writeHead(200);
    const more = () => {
      while (res.write(Buffer.alloc(100_000))) if (res.destroyed) return;
    };
    res.on('drain', more);
    more();
    return;
  }
  res.writeHead(from > 0 ? 206 : 200, {
    etag: '"some-other-tag"',
    'content-length': rest.length,
    ...(from > 0 && { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` }),
  });
  if (fault?.kind === 'cut') res.write(rest.subarray(0, fault.afterBytes), () => res.destroy());
  else if (fault?.kind === 'silent') res.write(rest.subarray(0, 10));
  else res.end(rest);
}

function note(hub: FakeHub, server: 'hub' | 'cdn', req: IncomingMessage): void {
  const { range, authorization } = req.headers;
  hub.requests.push({
    server,
    method: req.method ?? '',
    path: req.url ?? '',
    ...(range !== undefined && { range }),
    ...(authorization !== undefined && { token: authorization }),
  });
}

async function listen(server: Server): Promise<void> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
