import type { Logger } from '@studymate/observability/logger';
import type { Redis } from 'ioredis';

/**
 * One warning while Redis is not there at the start: the worker waits for it without end, which looks like hanging.
 * Each later attempt, and a connection lost later, are logged at the level debug only.
 *
 * @param deps.redis a connection that has just been made
 * @param deps.address where that leads, without a password
 */
export function warnWhileRedisIsMissing(deps: { redis: Redis; address: string; logger: Pick<Logger, 'warn'> }): void {
  const { redis, address, logger } = deps;
  const warn = (error: Error) => {
    logger.warn({ err: error, redis: address }, `Redis does not answer at ${address} (REDIS_URL); waiting for it`);
    redis.off('ready', calm);
  };
  const calm = () => redis.off('error', warn);
  redis.once('error', warn);
  redis.once('ready', calm);
}
