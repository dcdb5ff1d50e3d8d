// The little of HTTP that the scripts need, with Node's own modules.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** What the API refused, as `{code, message}`, or a failure on the way to it. */
export class RequestError extends Error {
  constructor(code, message, status = null) {
    super(message);
    this.name = 'RequestError';
    this.code = code;
    this.status = status;
  }
}

/**
 * Asks until the answer is 200.
 *
 * @param {object} params
 * @param {string} params.url
 * @param {{name: string, ended(): string | null}} params.child who answers; when it has ended we stop asking
 * @param {number} params.timeoutMs
 * @param {number} [params.everyMs]
 */
export async function waitUntilOk({ url, child, timeoutMs, everyMs = 10 }) {
  const deadlineMs = performance.now() + timeoutMs;
  let last = 'no answer';
  while (performance.now() < deadlineMs) {
    if (child.ended() !== null) throw new Error(`${child.name} ended while it was starting: ${child.ended()}`);
    try {
      const answer = await request({ url, timeoutMs: 5_000 });
      if (answer.status === 200) return;
      last = `status ${answer.status} ${answer.body.slice(0, 300)}`;
    } catch (error) {
      last = error.message;
    }
    await delay(everyMs);
  }
  throw new Error(`${child.name} was not ready within ${timeoutMs / 1000} s (${url}: ${last})`);
}

/** GET or another method without a body. @returns {Promise<{status: number, body: string}>} */
function request({ url, method = 'GET', timeoutMs = 60_000 }) {
  return new Promise((resolve, reject) => {
    const asked = http.request(url, { method, agent: false, timeout: timeoutMs }, (response) => {
      readBody(response).then((body) => resolve({ status: response.statusCode, body }), reject);
    });
    asked.on('timeout', () => asked.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
    asked.on('error', reject);
    asked.end();
  });
}

/** @returns the parsed JSON of a 2xx answer @throws {RequestError} */
export async function getJson(url) {
  return parseAnswer(await request({ url }).catch((error) => fail('network', error.message)));
}

/**
 * Sends a file as multipart/form-data, read from disk piece by piece.
 *
 * @param {object} params
 * @param {string} params.url
 * @param {string} params.filePath
 * @param {Record<string, string>} params.fields
 * @param {(sentBytes: number, totalBytes: number) => void} [params.onProgress]
 * @returns the parsed JSON answer
 * @throws {RequestError}
 */
export async function uploadFile({ url, filePath, fields, onProgress = () => {} }) {
  const found = await stat(filePath).catch((error) => fail('file_unreadable', error.message));
  if (!found.isFile()) fail('file_unreadable', `${filePath} is not a file`);
  const boundary = `studymate-${crypto.randomUUID()}`;
  const head = [
    ...Object.entries(fields).map(
      ([name, value]) => `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
    ),
    `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="${quoted(path.basename(filePath))}"\r\n`,
    'content-type: application/octet-stream\r\n\r\n',
  ].join('');
  const tail = `\r\n--${boundary}--\r\n`;
  const headers = {
    'content-type': `multipart/form-data; boundary=${boundary}`,
    // A new lecture each time, also of a file that is one already.
    'cache-control': 'no-cache',
    'content-length': Buffer.byteLength(head) + found.size + Buffer.byteLength(tail),
  };
  return new Promise((resolve, reject) => {
    let answered = false;
    const asked = http.request(url, { method: 'POST', headers, agent: false, timeout: 120_000 }, (response) => {
      answered = true;
      readBody(response)
        .then((body) => parseAnswer({ status: response.statusCode, body }))
        .then(resolve, reject)
        // A refusal may come before everything is sent; there is no point in sending the rest.
        .finally(() => asked.destroy());
    });
    asked.on('timeout', () => asked.destroy(new Error('the API took nothing for two minutes')));
    asked.on('error', (error) => {
      if (!answered) reject(new RequestError('network', error.message));
    });
    pipeline(
      parts({ head, filePath, bytes: found.size, tail, onProgress: (...sizes) => answered || onProgress(...sizes) }),
      asked,
    ).catch((error) => {
      // A refusal closes the connection under us: its answer, when there is one, says more than this error.
      setTimeout(() => answered || reject(new RequestError('network', error.message)), 1_000);
    });
  });
}

async function* parts({ head, filePath, bytes, tail, onProgress }) {
  yield Buffer.from(head);
  let sent = 0;
  // `end`: what is appended meanwhile would not fit the length that we have announced.
  for await (const chunk of createReadStream(filePath, { end: Math.max(0, bytes - 1), highWaterMark: 256 * 1024 })) {
    sent += chunk.length;
    onProgress(sent, bytes);
    yield chunk;
  }
  yield Buffer.from(tail);
}

/** As browsers write file names into a header: https://html.spec.whatwg.org/#multipart-form-data */
function quoted(name) {
  return name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

async function readBody(response) {
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function parseAnswer({ status, body }) {
  let json;
  try {
    json = JSON.parse(body);
  } catch {
    fail('bad_answer', `status ${status}, and the body is not JSON: ${body.slice(0, 200)}`, status);
  }
  if (status >= 200 && status < 300) return json;
  return fail(json?.error?.code ?? 'bad_answer', json?.error?.message ?? `status ${status}`, status);
}

function fail(code, message, status) {
  throw new RequestError(code, message, status);
}
