import type { IncomingMessage } from 'node:http';
import { AppError } from '@studymate/contracts/errors';

/** A body slower than 4 kbit/s on average over a minute is held to be there to hold the connection. */
const defaultMinBytes = 30_000;
const defaultWindowMs = 60_000;

/**
 * Asks for a least rate of a body that may last for hours. Time in which we ourselves do not read on is not counted.
 * @param onSlow called once with AppError `request_timeout`
 * @returns a function that ends it
 */
export function requireMinimumRate(
  req: IncomingMessage,
  onSlow: (error: AppError) => void,
  options: { minBytes?: number; windowMs?: number } = {},
): () => void {
  const { minBytes = defaultMinBytes, windowMs = defaultWindowMs } = options;
  let before = req.socket.bytesRead;
  const timer = setInterval(() => {
    const { bytesRead } = req.socket;
    const isSlow = bytesRead - before < minBytes;
    before = bytesRead;
    // All has come, or more lies here than we have taken.
    if (!isSlow || req.complete || req.readableLength > 0) return;
    clearInterval(timer);
    const seconds = windowMs / 1000;
    onSlow(new AppError('request_timeout', `Fewer than ${minBytes} bytes of the body came within ${seconds} s.`));
  }, windowMs);
  timer.unref();
  return () => clearInterval(timer);
}
