import type { Config } from '@studymate/config/config';
import { AppError } from '@studymate/contracts/errors';
import type { Keys } from '@studymate/queue/keys';
import type { NextFunction, Request, Response } from 'express';
import type { Redis } from 'ioredis';
import { toNetwork } from '../auth/failure-limit.ts';
import { anonymousOwner, ownerOf } from '../auth/owner.ts';
import { createRateCounter, type RateCounter, rateWindowSeconds } from './rate-counter.ts';

type Middleware = (req: Request, res: Response, next: NextFunction) => Promise<void>;

export interface RateLimit {
  /** Counts by address (the /64 of IPv6); stands before the authentication. Throws AppError `too_many_requests`. */
  byAddress: Middleware;
  /** Counts by owner, but not the anonymous one, who is everybody; stands behind the authentication. */
  byOwner: Middleware;
}

/**
 * Limits of a minute on requests, told in the headers `RateLimit-Policy` and `RateLimit`
 * (https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/10). While Redis is away nobody is refused.
 */
export function createRateLimit(deps: {
  redis: Redis;
  keys: Keys;
  limits: Pick<Config['limits'], 'maxRequestsPerAddress' | 'maxRequestsPerOwner'>;
}): RateLimit {
  const { redis, keys, limits } = deps;
  const toCounter = (name: string, limit: number | null) =>
    limit === null ? null : createRateCounter({ redis, keyPrefix: keys.rates(name), limit });
  const addresses = toCounter('address', limits.maxRequestsPerAddress);
  const owners = toCounter('owner', limits.maxRequestsPerOwner);

  const check = async (res: Response, name: string, counter: RateCounter, key: string): Promise<void> => {
    const count = await counter.count(key);
    if (!count) return;
    const { isOver, remaining, resetSeconds } = count;
    addItem(res, 'ratelimit-policy', `"${name}";q=${counter.limit};w=${rateWindowSeconds}`);
    addItem(res, 'ratelimit', `"${name}";r=${remaining};t=${resetSeconds}`);
    if (!isOver) return;
    const whose = name === 'owner' ? 'of yours' : 'from this address';
    throw new AppError('too_many_requests', `More than ${counter.limit} requests ${whose} came within a minute.`, {
      details: { limit: counter.limit, retryAfterSeconds: resetSeconds },
    });
  };

  return {
    async byAddress(req, res, next) {
      if (addresses && !isOutsideRate(req)) await check(res, 'address', addresses, toNetwork(req.ip ?? ''));
      next();
    },
    async byOwner(req, res, next) {
      const owner = ownerOf(res);
      if (owners && owner !== anonymousOwner && !isOutsideRate(req)) await check(res, 'owner', owners, owner);
      next();
    },
  };
}

/** A list of structured fields; a second limit says its own beside the first. */
function addItem(res: Response, header: string, item: string): void {
  const before = res.getHeader(header);
  res.setHeader(header, before === undefined ? item : `${before}, ${item}`);
}

const uploads = /^\/api\/v1\/uploads(\/|$)/i;
const newLecture = /^\/api\/v1\/lectures\/?$/i;
const mediaAndEvents = /^\/api\/v1\/lectures\/[^/]+\/(media|events)\/?$/i;

/**
 * Uploads come in many parts, and their clients give up on a 429; a player asks for a recording in many pieces; an event
 * stream comes again after each cut. Each has limits of its own.
 */
function isOutsideRate({ method, path }: Request): boolean {
  return uploads.test(path) || mediaAndEvents.test(path) || (method === 'POST' && newLecture.test(path));
}
