import { createServer } from 'node:http';
import { listen } from '../../src/listen.ts';

/** A span as the collector got it. */
export interface ReceivedSpan {
  service: string;
  name: string;
  traceId: string;
  spanId: string;
  /** Empty at the beginning of a trace. */
  parentSpanId: string;
  startMs: number;
  endMs: number;
  isFailed: boolean;
  attributes: Record<string, string | number | boolean>;
}

export interface Collector {
  url: string;
  spans: ReceivedSpan[];
  /** Header lines of the latest request. */
  headers(): Record<string, unknown>;
  /** Resolves when what has come is so. */
  until(isSo: (spans: ReceivedSpan[]) => boolean): Promise<void>;
  close(): Promise<void>;
}

interface Value {
  stringValue?: string;
  intValue?: number | string;
  doubleValue?: number;
  boolValue?: boolean;
}
interface KeyValue {
  key: string;
  value: Value;
}
interface Payload {
  resourceSpans: {
    resource: { attributes: KeyValue[] };
    scopeSpans: {
      spans: {
        name: string;
        traceId: string;
        spanId: string;
        parentSpanId?: string;
        startTimeUnixNano: string;
        endTimeUnixNano: string;
        status?: { code?: number };
        attributes: KeyValue[];
      }[];
    }[];
  }[];
}

/** A collector of traces in this process: OTLP over HTTP, as JSON (https://opentelemetry.io/docs/specs/otlp/). */
export async function startCollector({ port = 0 } = {}): Promise<Collector> {
  const spans: ReceivedSpan[] = [];
  const waiting = new Set<() => void>();
  let headers: Record<string, unknown> = {};
  const server = createServer(async (req, res) => {
    const parts: Buffer[] = [];
    for await (const part of req) parts.push(part);
    headers = req.headers;
    if (req.method === 'POST' && req.url === '/v1/traces') {
      spans.push(...toSpans(JSON.parse(Buffer.concat(parts).toString())));
      res.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    } else {
      res.writeHead(404).end();
    }
    for (const look of waiting) look();
  });
  const bound = await listen(server, { host: '127.0.0.1', port });
  return {
    url: `http://127.0.0.1:${bound}`,
    spans,
    headers: () => headers,
    until: (isSo) =>
      new Promise((resolve) => {
        const look = () => {
          if (!isSo(spans)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function toSpans({ resourceSpans }: Payload): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(toRecord(resource.attributes)['service.name']);
    return scopeSpans
      .flatMap((scope) => scope.spans)
      .map((span) => ({
        service,
        name: span.name,
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId ?? '',
        startMs: Number(BigInt(span.startTimeUnixNano) / 1_000n) / 1_000,
        endMs: Number(BigInt(span.endTimeUnixNano) / 1_000n) / 1_000,
        isFailed: span.status?.code === 2,
        attributes: toRecord(span.attributes),
      }));
  });
}

function toRecord(attributes: KeyValue[]): Record<string, string | number | boolean> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.stringValue ?? value.boolValue ?? value.doubleValue ?? Number(value.intValue),
    ]),
  );
}
