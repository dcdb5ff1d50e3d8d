import { lookup } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { AppError } from '@studymate/contracts/errors';

/** What a hub answered, its body not read yet. The caller reads it or destroys it. */
export interface HubAnswer {
  status: number;
  /** Where the answer came from, after the redirects that were followed. */
  url: URL;
  /** Of the answer itself, and of the redirects before it. */
  headers: http.IncomingHttpHeaders[];
  body: http.IncomingMessage;
}

export interface HubRequest {
  url: URL;
  method: 'GET' | 'HEAD';
  headers?: Record<string, string>;
  /** Sent to the origin of `url`, and to no other that a redirect leads to; never in the clear over a network. */
  token: string | null;
  /** Whether redirects to other origins are followed. */
  followsAway: boolean;
  /** Milliseconds without a byte after which the request is given up. */
  idleTimeoutMs: number;
  signal: AbortSignal;
}

const maxRedirects = 5;
const redirects = new Set([301, 302, 303, 307, 308]);

/**
 * Asks a hub. A redirect may lead to another host, as a hub's large files do, but not from https to http, and not to a
 * private address unless the hub itself is at one.
 * @throws AppError `model_unreachable`, `cancelled`
 */
export async function askHub(request: HubRequest): Promise<HubAnswer> {
  const { token, signal } = request;
  const { origin, hostname, protocol } = request.url;
  const headers: http.IncomingHttpHeaders[] = [];
  const isInside = await isPrivateHost(hostname);
  const mayHaveToken = protocol === 'https:' || isLoopback(hostname);
  let url = request.url;
  for (let followed = 0; ; followed++) {
    const isHub = url.origin === origin;
    const body = await send(url, {
      ...request,
      headers: { ...request.headers, ...(token && isHub && mayHaveToken && { authorization: `Bearer ${token}` }) },
      lookup: isInside ? undefined : publicLookup,
    }).catch((cause: unknown) => {
      throw signal.aborted ? cancelled() : unreachable(`${url.host} cannot be reached: ${toReason(cause)}`, cause);
    });
    headers.unshift(body.headers);
    const status = body.statusCode ?? 0;
    const location = redirects.has(status) ? body.headers.location : undefined;
    if (location === undefined) return { status, url, headers, body };
    const next = URL.canParse(location, url.href) ? new URL(location, url) : null;
    const isAway = next?.origin !== origin;
    if (isAway && !request.followsAway) return { status, url, headers, body };
    body.destroy();
    if (!next || !/^https?:$/.test(next.protocol) || (protocol === 'https:' && next.protocol !== 'https:')) {
      throw unreachable(`${url.host} redirects to an address that is not followed.`);
    }
    if (followed >= maxRedirects) throw unreachable(`${url.host} redirects again and again.`);
    if (!isInside && isIP(bare(next.hostname)) && isPrivateAddress(bare(next.hostname))) {
      throw unreachable(`${url.host} redirects to the private address ${next.hostname}, which is not followed.`);
    }
    url = next;
  }
}

function send(
  url: URL,
  options: Pick<HubRequest, 'method' | 'headers' | 'idleTimeoutMs' | 'signal'> & { lookup: LookupFunction | undefined },
): Promise<http.IncomingMessage> {
  const { method, headers, idleTimeoutMs, signal, lookup: lookUp } = options;
  return new Promise((resolve, reject) => {
    const asked = (url.protocol === 'https:' ? https : http).request(url, {
      method,
      headers: { 'user-agent': 'studymate', 'accept-encoding': 'identity', ...headers },
      // Few and large files: a connection for each, and none that stays open afterwards.
      agent: false,
      timeout: idleTimeoutMs,
      signal,
      ...(lookUp && { lookup: lookUp }),
    });
    asked.on('timeout', () => asked.destroy(new Error(`nothing came for ${idleTimeoutMs / 1000} s`)));
    asked.on('error', reject);
    asked.on('response', resolve);
    asked.end();
  });
}

/** RFC 6890: this host, private, shared, loopback, link-local; and IPv6's loopback, unique local, link-local. */
const privateRanges: readonly [string, number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
];

export function isPrivateAddress(address: string): boolean {
  const list = new BlockList();
  for (const [net, prefix] of privateRanges) list.addSubnet(net, prefix, net.includes(':') ? 'ipv6' : 'ipv4');
  // ::ffff:10.0.0.1 is 10.0.0.1; BlockList knows that.
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, '');
    const [first] = addresses;
    if (!first || addresses.some(({ address }) => isPrivateAddress(address))) {
      return callback(new Error(`${hostname} is a private address, which is not followed`), '');
    }
    if (options.all === true) return callback(null, addresses);
    return callback(null, first.address, first.family);
  });
};

/** The operator may have the hub, or a copy of it, inside the own network. What has no address is asked for it later. */
function isPrivateHost(hostname: string): Promise<boolean> {
  if (isIP(bare(hostname))) return Promise.resolve(isPrivateAddress(bare(hostname)));
  return new Promise((resolve) => {
    lookup(hostname, { all: true }, (error, addresses) =>
      resolve(!error && addresses.some(({ address }) => isPrivateAddress(address))),
    );
  });
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}

/** Without the brackets that an IPv6 address has in a URL. */
function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}

function toReason(thrown: unknown): string {
  if (thrown instanceof AggregateError) return toReason(thrown.errors[0]);
  return thrown instanceof Error ? thrown.message : String(thrown);
}

export function unreachable(message: string, cause?: unknown): AppError {
  return new AppError('model_unreachable', message, { cause });
}

export function cancelled(): AppError {
  return new AppError('cancelled', 'The download was stopped.');
}
