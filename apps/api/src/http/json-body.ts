import type { IncomingMessage } from 'node:http';
import { AppError } from '@studymate/contracts/errors';
import type { z } from 'zod';
import { toPlainMessage, toRequestMistakes } from './request-mistakes.ts';

/** A body of text arrives within seconds; a caller that dribbles it must not hold a connection. */
const bodyTimeoutMs = 20_000;

/**
 * Reads a JSON body and checks its form.
 * @throws AppError `unsupported_content_type`, `body_too_large`, `invalid_json`, `invalid_request`,
 *   `upload_incomplete`, `request_timeout`
 */
export async function readJsonBody<T extends z.ZodType>(
  req: IncomingMessage,
  options: { schema: T; maxBytes: number },
): Promise<z.output<T>> {
  const type = req.headers['content-type'] ?? '';
  const encoding = req.headers['content-encoding'] ?? 'identity';
  const charset = /;\s*charset="?([^";\s]+)/i.exec(type)?.[1] ?? 'utf-8';
  if (!/^application\/json\s*(;|$)/i.test(type) || charset.toLowerCase() !== 'utf-8') {
    throw new AppError('unsupported_content_type', 'Send the body as application/json in UTF-8.');
  }
  if (encoding !== 'identity') {
    throw new AppError('unsupported_content_type', 'Send the body without a content encoding.');
  }
  const bytes = await readBytes(req, options.maxBytes);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new AppError('invalid_json', 'The body is not JSON.', { cause: error });
  }
  return parseRequest(options.schema, value);
}

/** @throws AppError `invalid_request` that names each field */
export function parseRequest<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const result = schema.safeParse(value, { error: toPlainMessage });
  if (result.success) return result.data;
  const mistakes = toRequestMistakes(result.error);
  const [first = { path: '', message: 'has another form' }] = mistakes;
  throw new AppError('invalid_request', `${first.path === '' ? 'the body' : first.path}: ${first.message}`, {
    details: { details: mistakes },
  });
}

async function readBytes(req: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLarge = () =>
    new AppError('body_too_large', `The body may have ${maxBytes} bytes.`, { details: { maxBytes } });
  if (Number(req.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    const timer = setTimeout(
      () => finish(new AppError('request_timeout', 'The body did not come in time.')),
      bodyTimeoutMs,
    );
    const finish = (error?: AppError) => {
      clearTimeout(timer);
      req.off('data', onData).off('end', onEnd).off('close', onClose);
      // Paused, not destroyed: the error handler reads the rest, so that the caller sees the answer.
      if (error) req.pause();
      if (error) reject(error);
      else resolve(Buffer.concat(parts));
    };
    const onData = (part: Buffer) => {
      bytes += part.length;
      if (bytes > maxBytes) finish(tooLarge());
      else parts.push(part);
    };
    const onEnd = () => finish();
    const onClose = () =>
      finish(new AppError('upload_incomplete', 'The connection ended before the whole body had come.'));
    req.on('data', onData).on('end', onEnd).on('close', onClose);
    req.on('error', () => {});
  });
}
