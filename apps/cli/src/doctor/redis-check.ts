import type { Redis } from 'ioredis';
import type { Finding } from './check.ts';

const name = 'redis';
/** What BullMQ 6 recommends; older ones lack commands that it uses. */
const oldestVersion = [6, 2] as const;
const fullShare = 0.9;

/** @param host for people, without a password */
export async function checkRedis(redis: Redis, host: string): Promise<Finding[]> {
  const startedMs = performance.now();
  await redis.ping();
  const pingMs = performance.now() - startedMs;
  return judgeRedis(parseInfo(await redis.info()), host, pingMs);
}

/** The lines of Redis' INFO: https://redis.io/docs/latest/commands/info */
export function parseInfo(text: string): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const at = line.indexOf(':');
    if (at > 0 && !line.startsWith('#')) fields[line.slice(0, at)] = line.slice(at + 1);
  }
  return fields;
}

/** What is to be said of a Redis that describes itself so. */
export function judgeRedis(info: Record<string, string>, host: string, pingMs: number): Finding[] {
  const findings: Finding[] = [];
  const add = (state: Finding['state'], message: string, fix?: string) =>
    findings.push({ name, state, message, ...(fix && { fix }) });

  const version = info.redis_version ?? 'unknown';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [wantedMajor, wantedMinor] = oldestVersion;
  const isOld = major < wantedMajor || (major === wantedMajor && minor < wantedMinor);
  if (isOld) add('failure', `version ${version}`, `use Redis ${oldestVersion.join('.')} or later`);
  else add('ok', `${version} at ${host}, answers in ${pingMs.toFixed(1)} ms`);

  const policy = info.maxmemory_policy;
  if (policy === 'noeviction') add('ok', 'maxmemory-policy noeviction');
  else {
    add(
      'failure',
      `maxmemory-policy ${policy ?? 'unknown'}: it may drop jobs to make room`,
      'CONFIG SET maxmemory-policy noeviction, and the same in redis.conf',
    );
  }

  const max = Number(info.maxmemory ?? 0);
  const used = Number(info.used_memory ?? 0);
  if (max > 0 && used > max * fullShare) {
    add('failure', `${Math.round((used / max) * 100)} % of maxmemory is used`, 'give it more memory (maxmemory)');
  }

  if (info.role !== undefined && info.role !== 'master') {
    add('failure', `it is a ${info.role} and cannot be written`, 'point REDIS_URL at the primary');
  }
  if (info.loading === '1') add('failure', 'it is still reading its data', 'wait until it is done');

  if (info.aof_enabled !== '1') {
    add(
      'warning',
      'no append-only file: when it ends without warning, jobs and events since the last snapshot are lost',
      'appendonly yes, appendfsync everysec; lectures are safe either way, and are queued again',
    );
  } else if (info.aof_last_write_status === 'err') {
    add('failure', 'it cannot write its append-only file', "look at Redis' log, most likely its disk is full");
  } else add('ok', 'keeps an append-only file');
  if (info.rdb_last_bgsave_status === 'err') {
    add(
      'failure',
      'its last snapshot failed; it may refuse all writes',
      "look at Redis' log, most likely its disk is full",
    );
  }
  return findings;
}
