import { createHmac } from 'node:crypto';
import { lookup as systemLookup } from 'node:dns/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { type CallbackEvent, callbackIdHeader, callbackSignatureHeader } from '@studymate/contracts/callbacks';
import { AppError } from '@studymate/contracts/errors';
import { isPublicAddress, parseCallbackUrl, toHost } from '@studymate/queue/callback-address';

export interface CallbackTarget {
  url: string;
  secret: string;
  /** Whether it may lead into private networks. */
  allowPrivate: boolean;
}

interface Address {
  address: string;
  family: number;
}

export interface PostOptions {
  signal: AbortSignal;
  timeoutMs?: number;
  lookup?: (host: string) => Promise<Address[]>;
  now?: () => number;
}

const defaultTimeoutMs = 10_000;

/**
 * Sends an event once. The name is looked up once, and the connection goes to an address that was looked at: a name
 * that answers differently the second time (DNS rebinding) leads nowhere else. Redirects are not followed, and nothing
 * of an answer but its status is read.
 * @throws AppError `callback_refused` for what no other try would change; any other error for what one may
 */
export async function postCallback(target: CallbackTarget, event: CallbackEvent, options: PostOptions): Promise<void> {
  const { timeoutMs = defaultTimeoutMs, lookup = lookUp, now = Date.now } = options;
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(timeoutMs)]);
  const url = parseCallbackUrl(target.url, target);
  const addresses = await unlessAborted(signal, findAddresses(url, target, lookup));
  const body = JSON.stringify(event);
  const status = await post(url, addresses, body, signal, {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'user-agent': 'StudyMate',
    [callbackIdHeader]: event.id,
    [callbackSignatureHeader]: toSignature(body, target.secret, Math.floor(now() / 1000)),
  });
  if (status >= 200 && status < 300) return;
  if (status === 410) throw new AppError('callback_refused', 'The receiver says that it is gone for good (410).');
  throw new Error(`the receiver answered ${status}`);
}

/** @param atSeconds since 1970; receivers refuse what is old, so that nothing recorded can be sent again */
export function toSignature(body: string, secret: string, atSeconds: number): string {
  const digest = createHmac('sha256', secret).update(`${atSeconds}.${body}`).digest('hex');
  return `t=${atSeconds},v1=${digest}`;
}

async function findAddresses(
  url: URL,
  { allowPrivate }: CallbackTarget,
  lookup: (host: string) => Promise<Address[]>,
): Promise<Address[]> {
  const host = toHost(url);
  const family = isIP(host);
  const found = family === 0 ? await lookup(host) : [{ address: host, family }];
  if (found.length === 0) throw new Error('the name has no address');
  // One that is not public is reason enough: the others may be there to hide it.
  if (!allowPrivate && !found.every(({ address }) => isPublicAddress(address))) {
    throw new AppError('callback_refused', 'The address leads into a private network.');
  }
  return found;
}

function lookUp(host: string): Promise<Address[]> {
  return systemLookup(host, { all: true });
}

function post(
  url: URL,
  addresses: Address[],
  body: string,
  signal: AbortSignal,
  headers: Record<string, string>,
): Promise<number> {
  const [first = { address: '', family: 4 }] = addresses;
  const known: LookupFunction = (_host, options, callback) => {
    if (options.all) callback(null, addresses);
    else callback(null, first.address, first.family);
  };
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    // No agent: a kept connection would be to an address of another time.
    const request = send(url, { method: 'POST', headers, agent: false, lookup: known, signal, maxHeaderSize: 16_384 });
    request.on('error', reject);
    request.on('response', (response) => {
      response.on('error', () => {});
      response.destroy();
      resolve(response.statusCode ?? 0);
    });
    request.end(body);
  });
}

/** A lookup cannot be stopped; who waits for it can. */
async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  work.catch(() => {});
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
