import { z } from 'zod';
import { type Setting, setting } from './setting.ts';

const redisUrl = z.string().regex(/^rediss?:\/\/\S+$/, 'give an address such as redis://127.0.0.1:6379');

/** Where a server listens: a name or an IPv4 address and a port, or an IPv6 address in brackets and a port. */
const nodes = z.string().transform((text, context) => {
  const list = text
    .split(',')
    .map((node) => node.trim())
    .filter((node) => node !== '');
  const found = list.flatMap((node) => {
    const [, v6, host, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+)):(\d{1,5})$/.exec(node) ?? [];
    return Number(port) < 65_536 ? [{ host: v6 ?? host ?? '', port: Number(port) }] : [];
  });
  if (found.length === list.length) return found;
  const message = 'give host:port with commas between them, such as 10.0.0.1:26379,10.0.0.2:26379';
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

/** Redis, one or many. */
export const redisSettings = {
  REDIS_URL: setting(
    redisUrl,
    'redis://127.0.0.1:6379',
    'Redis for the queue and events (maxmemory-policy noeviction); rediss:// for TLS. With sentinels or a cluster, of it only scheme, user and password.',
  ),
  REDIS_CA_FILE: setting(
    z.string(),
    '',
    'File with the certificate (PEM) of the authority by which a rediss:// server is known; without it, those that Node knows.',
  ),
  REDIS_SENTINELS: setting(
    nodes,
    '',
    'Sentinels (host:port, with commas) that say which Redis is the primary; without it, the one of REDIS_URL is.',
  ),
  REDIS_SENTINEL_NAME: setting(
    z.string().regex(/^[\w.-]{1,100}$/, 'give the name that the sentinels know the primary by'),
    'mymaster',
    'REDIS_SENTINELS: the name that they know the primary by.',
  ),
  REDIS_SENTINEL_PASSWORD: setting(
    z.string().regex(/^[!-~]*$/, 'give a password without spaces'),
    '',
    'REDIS_SENTINELS: the password of the sentinels themselves.',
  ),
  REDIS_CLUSTER_NODES: setting(
    nodes,
    '',
    'Some nodes (host:port, with commas) of a Redis Cluster. It is there for its failover: all our keys lie in one slot.',
  ),
  CACHE_REDIS_URL: setting(
    z.union([z.literal(''), redisUrl], 'give an address such as redis://127.0.0.1:6379'),
    '',
    'Redis that keeps answers to short clips and texts, a server or a database of its own; without it, the one of REDIS_URL. It may evict what it likes.',
  ),
} as const satisfies Record<string, Setting<z.ZodType>>;
