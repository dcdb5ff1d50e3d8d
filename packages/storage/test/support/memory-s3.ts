import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { S3Place } from '@studymate/contracts/places';

export interface S3Asked {
  method: string;
  /** Empty for the bucket itself. */
  key: string;
  query: URLSearchParams;
}

interface Kept {
  body: Buffer;
  modifiedMs: number;
}

/** A bucket in memory that believes every signature. What S3 really does: e2e/system. */
export interface MemoryS3 {
  options: S3Place;
  objects: Map<string, Kept>;
  uploads: Map<string, { key: string; begunMs: number; parts: Map<number, Kept> }>;
  /** Such as "PUT media/1". */
  requests: string[];
  /** Called with each request: null lets it go on, a code refuses it, "hang" never answers it, "late" refuses after 200. */
  intercept: (asked: S3Asked) => string | null | Promise<string | null>;
  /** Ends all connections: those whose requests hang, too. */
  hangUp(): void;
  close(): Promise<void>;
}

export async function startMemoryS3(): Promise<MemoryS3> {
  const objects: MemoryS3['objects'] = new Map();
  const uploads: MemoryS3['uploads'] = new Map();
  let lastId = 0;

  const refuse = (res: ServerResponse, status: number, code: string) =>
    res.writeHead(status).end(`<Error><Code>${code}</Code><Message>No.</Message></Error>`);
  const date = (ms: number) => new Date(ms).toISOString();

  function answerBucket(query: URLSearchParams, res: ServerResponse): void {
    const prefix = query.get('prefix') ?? '';
    if (query.has('uploads')) {
      const found = [...uploads].filter(([, { key }]) => key.startsWith(prefix));
      const rows = found.map(
        ([id, { key, begunMs }]) =>
          `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${date(begunMs)}</Initiated></Upload>`,
      );
      return void res.end(`<R>${rows.join('')}<IsTruncated>false</IsTruncated></R>`);
    }
    const after = query.get('start-after') ?? '';
    const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    const page = keys.slice(0, Number(query.get('max-keys') ?? 1000));
    const rows = page.map(
      (key) =>
        `<Contents><Key>${key}</Key><LastModified>${date(objects.get(key)?.modifiedMs ?? 0)}</LastModified></Contents>`,
    );
    res.end(`<R>${rows.join('')}<IsTruncated>${page.length < keys.length}</IsTruncated></R>`);
  }

  function answerUpload({ method, key, query }: S3Asked, body: Buffer, res: ServerResponse): void {
    if (query.has('uploads')) {
      lastId++;
      uploads.set(`u${lastId}`, { key, begunMs: Date.now(), parts: new Map() });
      return void res.end(`<R><UploadId>u${lastId}</UploadId></R>`);
    }
    const id = query.get('uploadId') ?? '';
    const upload = uploads.get(id);
    if (!upload) return void refuse(res, 404, 'NoSuchUpload');
    if (method === 'PUT') {
      const number = Number(query.get('partNumber'));
      upload.parts.set(number, { body, modifiedMs: Date.now() });
      return void res.writeHead(200, { etag: `"${number}"` }).end();
    }
    if (method === 'GET') {
      const rows = [...upload.parts].map(
        ([number, part]) =>
          `<Part><PartNumber>${number}</PartNumber><ETag>"${number}"</ETag><Size>${part.body.length}</Size>` +
          `<LastModified>${date(part.modifiedMs)}</LastModified></Part>`,
      );
      return void res.end(`<R>${rows.join('')}</R>`);
    }
    uploads.delete(id);
    if (method === 'DELETE') return void res.writeHead(204).end();
    const wanted = [...body.toString().matchAll(/<PartNumber>(\d+)</g)].map((match) => Number(match[1]));
    const whole = Buffer.concat(wanted.map((number) => upload.parts.get(number)?.body ?? Buffer.alloc(0)));
    // As on AWS: the moment at which it was begun.
    objects.set(key, { body: whole, modifiedMs: upload.begunMs });
    res.end('<R></R>');
  }

  const server = createServer(async (req, res) => {
    const url = new URL(String(req.url), 'http://s3');
    const method = String(req.method);
    const key = decodeURIComponent(url.pathname).replace(/^\/lectures\/?/, '');
    const asked = { method, key, query: url.searchParams };
    memory.requests.push(
      `${method} ${key}${url.searchParams.has('prefix') ? `?${url.searchParams.get('prefix')}` : ''}`,
    );
    const body = await buffer(req);
    const fault = await memory.intercept(asked);
    if (fault === 'hang') return;
    if (fault === 'late') return void res.end('<Error><Code>InternalError</Code></Error>');
    if (fault !== null) return void refuse(res, 403, fault);
    if (key === '') return answerBucket(asked.query, res);
    if (asked.query.has('uploadId') || asked.query.has('uploads')) return answerUpload(asked, body, res);
    const found = objects.get(key);
    if (method === 'PUT') {
      if (req.headers['if-none-match'] === '*' && found) return void refuse(res, 412, 'PreconditionFailed');
      objects.set(key, { body, modifiedMs: Date.now() });
      return void res.end();
    }
    if (method === 'DELETE') {
      objects.delete(key);
      return void res.writeHead(204).end();
    }
    if (!found) return void refuse(res, 404, 'NoSuchKey');
    const headers = { 'last-modified': new Date(found.modifiedMs).toUTCString(), etag: '"1"' };
    res.writeHead(200, { ...headers, 'content-length': found.body.length }).end(method === 'HEAD' ? '' : found.body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const memory: MemoryS3 = {
    options: {
      ...{ endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1', bucket: 'lectures', prefix: '' },
      ...{ accessKeyId: 'key', secretAccessKey: 'secret', sessionToken: null, pathStyle: true },
    },
    objects,
    uploads,
    requests: [],
    intercept: () => null,
    hangUp: () => server.closeAllConnections(),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return memory;
}
