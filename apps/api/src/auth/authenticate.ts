import { AppError } from '@studymate/contracts/errors';
import type { ApiKeyInfo, KeyStore } from '@studymate/storage/key-store';
import type { NextFunction, Request, Response } from 'express';
import { readCredential } from './credentials.ts';
import { createFailureLimit, type FailureLimit } from './failure-limit.ts';
import { createKeyCache } from './key-cache.ts';
import { anonymousOwner } from './owner.ts';

export interface Authenticator {
  readonly mode: 'off' | 'keys';
  /** Middleware: puts the owner into `res.locals.owner`, or refuses. What stands behind it is for owners alone. */
  authenticate(req: Request, res: Response, next: NextFunction): Promise<void>;
  /**
   * What a key stands for.
   * @throws AppError `unauthenticated` when it is none or was revoked, `too_many_requests` when the address has
   *   presented too many that are none
   */
  checkKey(key: string, address: string): Promise<ApiKeyInfo>;
  /** Ends an answer that goes on for long, such as an event stream, soon after its key was revoked. */
  endWhenRevoked(req: Request, res: Response): void;
}

/** How often the key of a long answer is looked at. */
const defaultRecheckMs = 5_000;

/** @param deps.mode `off`: everybody is the anonymous owner; `keys`: a key says who it is */
export function createAuthenticator(deps: {
  mode: 'off' | 'keys';
  keys: Pick<KeyStore, 'find'>;
  limit?: FailureLimit;
  recheckMs?: number;
}): Authenticator {
  const { mode, limit = createFailureLimit(), recheckMs = defaultRecheckMs } = deps;
  const cache = createKeyCache(deps);

  const refuseGuesser = (address: string): void => {
    const waitSeconds = limit.retryAfterSeconds(address);
    if (waitSeconds === null) return;
    throw new AppError('too_many_requests', 'Too many wrong keys came from this address.', {
      details: { retryAfterSeconds: waitSeconds },
    });
  };

  const checkKey = async (key: string, address: string): Promise<ApiKeyInfo> => {
    // Whoever guesses behind the same address keeps nobody out who has a key.
    if (!cache.wasGood(key)) refuseGuesser(address);
    const info = await cache.find(key);
    if (info && info.revokedAt === null) return info;
    // Others of a burst may have failed while this one was looked up.
    refuseGuesser(address);
    limit.countFailure(address);
    throw new AppError('unauthenticated', info ? 'This key was revoked.' : 'This is no key of ours.');
  };

  return {
    mode,
    checkKey,
    async authenticate(req, res, next) {
      if (mode === 'off') {
        res.locals.owner = anonymousOwner;
        next();
        return;
      }
      const credential = readCredential(req.headers);
      if (!credential) {
        throw new AppError('unauthenticated', 'Send a key: Authorization: Bearer sm_….');
      }
      if (credential.from === 'cookie') refuseForged(req);
      res.locals.owner = (await checkKey(credential.key, req.ip ?? '')).owner;
      next();
    },
    endWhenRevoked(req, res) {
      const credential = mode === 'off' ? null : readCredential(req.headers);
      if (!credential || res.destroyed) return;
      const timer = setInterval(async () => {
        // While the store is away nothing is known of the key; the next look will tell.
        const info = await cache.find(credential.key).catch(() => undefined);
        if (info === undefined || info?.revokedAt === null) return;
        clearInterval(timer);
        res.destroy();
      }, recheckMs);
      timer.unref();
      res.once('close', () => clearInterval(timer));
    },
  };
}

const harmlessMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * A browser sends the cookie along by itself. That a page of another site cannot make it do so is SameSite=Strict;
 * that a page of another port of the same machine cannot is this: browsers name the origin of what changes something
 * (https://fetch.spec.whatwg.org/#origin-header), and `Sec-Fetch-Site` only on https and loopback.
 */
function refuseForged(req: Request): void {
  const { origin, host } = req.headers;
  if (harmlessMethods.has(req.method) || origin === undefined) return;
  if (!URL.canParse(origin) || new URL(origin).host !== host) {
    throw new AppError('cross_site', 'A page of another site may not do this.');
  }
}
