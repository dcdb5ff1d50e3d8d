import { BlockList, isIP, isIPv6 } from 'node:net';
import { maxCallbackUrlLength } from '@studymate/contracts/callbacks';
import { AppError } from '@studymate/contracts/errors';

/**
 * Everything that the registries of special addresses do not call globally reachable, as of 2025.
 * https://www.iana.org/assignments/iana-ipv4-special-registry, …/iana-ipv6-special-registry
 */
const special4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
];
/** Within 2000::/3, outside of which nothing is public. Teredo and 6to4 carry IPv4 addresses of any kind. */
const special6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

function toList(networks: string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    list.addSubnet(address, Number(bits), family);
  }
  return list;
}

const list4 = toList(special4, 'ipv4');
const list6 = toList(special6, 'ipv6');
const global6 = toList(['2000::/3'], 'ipv6');

/** Whether an IP address is one of the public internet, and of nobody's own network. */
export function isPublicAddress(address: string): boolean {
  if (isIPv6(address)) return global6.check(address, 'ipv6') && !list6.check(address, 'ipv6');
  return isIP(address) === 4 && !list4.check(address, 'ipv4');
}

/** The host of an address without the brackets of IPv6. */
export function toHost(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

/**
 * What can be told of a callback's address without looking its name up.
 * @throws AppError `callback_refused`
 */
export function parseCallbackUrl(text: string, options: { allowPrivate: boolean }): URL {
  const refuse = (why: string) => new AppError('callback_refused', `callbackUrl: ${why}`);
  if (text.length > maxCallbackUrlLength) throw refuse(`must have at most ${maxCallbackUrlLength} characters`);
  if (!URL.canParse(text)) throw refuse('must be an address such as https://example.org/done');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse('must begin with https:// or http://');
  if (url.username !== '' || url.password !== '') throw refuse('must not have a user or a password');
  const host = toHost(url);
  const isLocalName = /(^|\.)(localhost|local|internal)\.?$/i.test(host);
  if (!options.allowPrivate && (isLocalName || (isIP(host) !== 0 && !isPublicAddress(host)))) {
    throw refuse('must not lead to a private address');
  }
  return url;
}
