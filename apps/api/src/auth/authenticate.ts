import { AppError } from '@studymate/contracts/errors';
import type { KeyStore } from '@studymate/storage/key-store';
import type { NextFunction, Request, Response } from 'express';
import { isFromListedOrigin } from '../http/cors.ts';
import { readCredential } from './credentials.ts';
import { createFailureLimit, type FailureLimit } from './failure-limit.ts';
import { createKeyCache } from './key-cache.ts';
import { anonymousOwner } from './owner.ts';
import type { TokenVerifier } from './token-verifier.ts';

/** Whom a credential stands for, and until when (milliseconds since 1970; null: until it is revoked). */
export interface Identity {
  owner: string;
  expiresAtMs: number | null;
}

export interface Authenticator {
  readonly mode: 'off' | 'keys' | 'jwt';
  /** Middleware: puts the owner into `res.locals.owner`, or refuses. What stands behind it is for owners alone. */
  authenticate(req: Request, res: Response, next: NextFunction): Promise<void>;
  /**
   * What a key or token stands for.
   * @throws AppError `unauthenticated` when it is none, was revoked or has expired, `too_many_requests` when the address
   *   has presented too many that are none, `identity_unavailable` when tokens cannot be checked
   */
  identify(credential: string, address: string): Promise<Identity>;
  /** Ends an answer that goes on for long soon after its key was revoked. */
  endWhenRevoked(req: Request, res: Response): void;
  /** Ends an answer that has no end of its own, such as an event stream, also when its token expires. */
  endWithCredential(req: Request, res: Response): void;
}

/** How often the key of a long answer is looked at. */
const defaultRecheckMs = 5_000;
/** Timers take no longer time (they would go off at once). */
const maxTimerMs = 2 ** 31 - 1;

/**
 * @param deps.mode `off`: everybody is the anonymous owner; `keys`: a key says who it is; `jwt`: a token does
 * @param deps.tokens needed where the mode is `jwt`
 */
export function createAuthenticator(deps: {
  mode: 'off' | 'keys' | 'jwt';
  keys: Pick<KeyStore, 'find'>;
  tokens?: TokenVerifier;
  limit?: FailureLimit;
  recheckMs?: number;
}): Authenticator {
  const { mode, tokens, limit = createFailureLimit(), recheckMs = defaultRecheckMs } = deps;
  const cache = createKeyCache(deps);
  const noun = mode === 'jwt' ? 'token' : 'key';

  const refuseGuesser = (address: string): void => {
    const waitSeconds = limit.retryAfterSeconds(address);
    if (waitSeconds === null) return;
    throw new AppError('too_many_requests', `Too many wrong ${noun}s came from this address.`, {
      details: { retryAfterSeconds: waitSeconds },
    });
  };

  const checkKey = async (key: string, address: string): Promise<Identity> => {
    // Whoever guesses behind the same address keeps nobody out who has a key.
    if (!cache.wasGood(key)) refuseGuesser(address);
    const info = await cache.find(key);
    if (info && info.revokedAt === null) return { owner: info.owner, expiresAtMs: null };
    // Others of a burst may have failed while this one was looked up.
    refuseGuesser(address);
    limit.countFailure(address);
    throw new AppError('unauthenticated', info ? 'This key was revoked.' : 'This is no key of ours.');
  };

  const checkToken = async (token: string, address: string): Promise<Identity> => {
    if (!tokens) throw new AppError('internal', 'Nothing can check tokens.', { retryable: false });
    try {
      return await tokens.verify(token);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'unauthenticated') throw error;
      // Checked first, which is cheap: nobody with a token that holds is kept out.
      refuseGuesser(address);
      limit.countFailure(address);
      throw error;
    }
  };

  const identify: Authenticator['identify'] = (credential, address) => {
    if (mode === 'off') return Promise.resolve({ owner: anonymousOwner, expiresAtMs: null });
    return mode === 'jwt' ? checkToken(credential, address) : checkKey(credential, address);
  };

  const endWhenRevoked: Authenticator['endWhenRevoked'] = (req, res) => {
    const credential = mode === 'keys' ? readCredential(req.headers) : null;
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
  };

  return {
    mode,
    identify,
    endWhenRevoked,
    async authenticate(req, res, next) {
      if (mode === 'off') {
        res.locals.owner = anonymousOwner;
        next();
        return;
      }
      const credential = readCredential(req.headers);
      if (!credential) {
        throw new AppError(
          'unauthenticated',
          `Send a ${noun}: Authorization: Bearer ${mode === 'jwt' ? 'eyJ' : 'sm_'}….`,
        );
      }
      if (credential.from === 'cookie' && !isFromListedOrigin(res)) refuseForged(req);
      const { owner, expiresAtMs } = await identify(credential.key, req.ip ?? '');
      res.locals.owner = owner;
      res.locals.expiresAtMs = expiresAtMs;
      next();
    },
    endWithCredential(req, res) {
      endWhenRevoked(req, res);
      const { expiresAtMs } = res.locals;
      if (typeof expiresAtMs !== 'number' || res.destroyed) return;
      const timer = setTimeout(() => res.destroy(), Math.min(maxTimerMs, Math.max(0, expiresAtMs - Date.now())));
      timer.unref();
      res.once('close', () => clearTimeout(timer));
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
