import type { IncomingMessage } from 'node:http';

/** As nginx does it (lingering_time 30 s, lingering_timeout 5 s). */
const lingerMs = 30_000;
const lingerIdleMs = 5_000;

/**
 * Reads and drops what is left of a request's body after the answer to it was decided. Closing at once would reset
 * the connection, and the caller, still sending, would never see why. A caller that does not come to an end is cut
 * off.
 */
export function lingerOn(req: IncomingMessage): void {
  if (req.complete || req.destroyed) return;
  req.unpipe();
  const cut = () => req.socket.destroy();
  const deadline = setTimeout(cut, lingerMs);
  let idle = setTimeout(cut, lingerIdleMs);
  const stop = () => {
    clearTimeout(deadline);
    clearTimeout(idle);
  };
  req.on('data', () => {
    clearTimeout(idle);
    idle = setTimeout(cut, lingerIdleMs);
  });
  req.on('error', () => {});
  req.once('end', stop);
  req.once('close', stop);
  req.resume();
}
