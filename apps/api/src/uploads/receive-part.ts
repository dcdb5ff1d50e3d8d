import type { IncomingMessage } from 'node:http';
import { AppError } from '@studymate/contracts/errors';
import { requireMinimumRate } from '../http/minimum-rate.ts';

export interface ReceivePartOptions {
  /** No more of the body is taken. */
  maxBytes: number;
  /** Takes the bytes, one piece after the other. */
  write(bytes: Uint8Array): Promise<void>;
  /** Fires when the sender is to stop: what has come until then counts. */
  giveWay: AbortSignal;
  /** See minimum-rate.ts. */
  minimum?: { minBytes: number; windowMs: number };
}

/**
 * Passes the body of a request on, a piece at a time. When the sender goes away, or has to give way, that is the end
 * of the part and no error. The request is left paused, not destroyed: it can still be answered.
 * @returns how many bytes were written
 * @throws AppError `file_too_large` when the body goes on after `maxBytes`, `timeout` when it comes too slowly; what
 *   `write` throws
 */
export function receivePart(req: IncomingMessage, options: ReceivePartOptions): Promise<number> {
  const { maxBytes, write, giveWay, minimum } = options;
  return new Promise((resolve, reject) => {
    let bytes = 0;
    let writing = Promise.resolve();
    let isOver = false;

    const finish = (error?: unknown) => {
      if (isOver) return;
      isOver = true;
      stopWatch();
      req.off('data', onData).off('end', onEnd).off('close', onEnd);
      giveWay.removeEventListener('abort', onEnd);
      req.pause();
      // A piece that is being written is still counted, or tells what is wrong.
      writing.then(() => (error === undefined ? resolve(bytes) : reject(error)), reject);
    };
    const onEnd = () => finish();
    const onData = (piece: Buffer) => {
      if (bytes + piece.length > maxBytes) {
        finish(new AppError('file_too_large', 'The body has more bytes than the upload still lacks.'));
        return;
      }
      req.pause();
      writing = write(piece).then(() => {
        bytes += piece.length;
        if (!isOver) req.resume();
      });
      writing.catch(finish);
    };
    // Not as 408, after which tus-js-client does not try again.
    const onSlow = ({ message }: AppError) => finish(new AppError('timeout', `${message} What came is kept.`));
    const stopWatch = requireMinimumRate(req, onSlow, minimum);

    req.on('data', onData).once('end', onEnd).once('close', onEnd);
    req.on('error', () => {});
    giveWay.addEventListener('abort', onEnd);
    // Gone, or over, before anybody listened.
    if (giveWay.aborted || req.destroyed || req.readableEnded) finish();
  });
}
