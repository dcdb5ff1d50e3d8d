import http from 'node:http';

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  /** Name, value, name, value …, also those given twice. */
  rawHeaders: string[];
  body: Buffer;
}

export interface Options {
  method?: string;
  headers?: Record<string, string>;
  body?: Buffer | string;
  /** One of 127.0.0.0/8: requests are limited by address. */
  from?: string;
}

/** One request on a connection of its own. Rejects when the connection breaks before the answer is complete. */
export function request(url: string, options: Options = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = open(url, options);
    asked.on('response', (response) => {
      collect(response).then(resolve, reject);
      response.on('end', () => asked.destroy());
    });
    asked.on('error', reject);
    asked.end(options.body);
  });
}

/** A request whose body is still to be sent. */
export function open(url: string, { method = 'GET', headers = {}, from }: Options = {}): http.ClientRequest {
  return http.request(url, {
    method,
    headers,
    agent: false,
    timeout: 60_000,
    ...(from && { localAddress: from }),
  });
}

export async function collect(response: http.IncomingMessage): Promise<Answer> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    rawHeaders: response.rawHeaders,
    body: Buffer.concat(parts),
  };
}

export function toJson(answer: Answer) {
  return JSON.parse(answer.body.toString('utf8'));
}

/** A multipart body with one part named `file`. */
export function toMultipart(name: string, bytes: Buffer): { body: Buffer; headers: Record<string, string> } {
  const boundary = `boundary-${crypto.randomUUID()}`;
  const head = `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="${name}"\r\ncontent-type: audio/wav\r\n\r\n`;
  const body = Buffer.concat([Buffer.from(head), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)]);
  return {
    body,
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': String(body.length),
    },
  };
}
