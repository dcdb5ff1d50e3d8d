import type { RedisPlace } from '@studymate/contracts/places';
import type { SettingValues } from './settings.ts';

/** @param v settings of which each may be missing because it is wrong by itself */
export function findRedisMistakes(v: Partial<SettingValues>): string[] {
  const mistakes: string[] = [];
  const hasSentinels = (v.REDIS_SENTINELS?.length ?? 0) > 0;
  const isCluster = (v.REDIS_CLUSTER_NODES?.length ?? 0) > 0;
  if (hasSentinels && isCluster) {
    mistakes.push('REDIS_SENTINELS: is given beside REDIS_CLUSTER_NODES; a cluster needs no sentinels');
  }
  if (isCluster && v.QUEUE_PREFIX !== undefined && !/\{[^{}]+\}/.test(v.QUEUE_PREFIX)) {
    const fix = 'needs braces, such as {sm}, so that all keys lie in one slot of the cluster (REDIS_CLUSTER_NODES)';
    mistakes.push(`QUEUE_PREFIX="${v.QUEUE_PREFIX}": ${fix}`);
  }
  const urls = [v.REDIS_URL, v.CACHE_REDIS_URL];
  if (v.REDIS_CA_FILE && urls.every((url) => url !== undefined && !url.startsWith('rediss:'))) {
    mistakes.push(
      `REDIS_CA_FILE="${v.REDIS_CA_FILE}": is used with rediss:// alone; correct REDIS_URL, or leave it out`,
    );
  }
  return mistakes;
}

export function toRedisConfig(v: SettingValues): RedisPlace {
  const { REDIS_SENTINELS: sentinels, REDIS_CLUSTER_NODES: clusterNodes } = v;
  return {
    url: v.REDIS_URL,
    caFile: v.REDIS_CA_FILE || null,
    sentinels:
      sentinels.length === 0
        ? null
        : { nodes: sentinels, name: v.REDIS_SENTINEL_NAME, password: v.REDIS_SENTINEL_PASSWORD || null },
    clusterNodes: clusterNodes.length === 0 ? null : clusterNodes,
  };
}

/** @returns null where the cache lies in the Redis of the queue */
export function toCacheRedis(v: SettingValues): RedisPlace | null {
  if (v.CACHE_REDIS_URL === '' || v.CACHE_REDIS_URL === v.REDIS_URL) return null;
  return { url: v.CACHE_REDIS_URL, caFile: v.REDIS_CA_FILE || null, sentinels: null, clusterNodes: null };
}
