import type { JwtConfig } from '@studymate/config/config';
import { AppError } from '@studymate/contracts/errors';
import type { JWTVerifyGetKey, JWTVerifyOptions, JWTVerifyResult } from 'jose';
import { anonymousOwner } from './owner.ts';

export interface TokenVerifier {
  /**
   * Whose token it is, and until when (milliseconds since 1970).
   * @throws AppError `unauthenticated` for a token that does not hold, `identity_unavailable` when the keys to check it
   *   by cannot be fetched
   */
  verify(token: string): Promise<{ owner: string; expiresAtMs: number }>;
}

/** Clocks of two machines may differ by so much. */
const clockToleranceSeconds = 10;
/** A key set is fetched again after this, so that a key that was taken out of it is no longer believed. */
const keySetMaxAgeMs = 600_000;
const keySetTimeoutMs = 3_000;
/** For an unknown key id the set is fetched at once, but not more often than this, whoever makes up ids. */
const keySetCooldownMs = 30_000;
/** What a public key can check. HS256 is not among them: a public key must never serve as a shared secret. */
const publicKeyAlgorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];
/** The owner's name becomes part of keys, after hashing where it must; these bounds are for the rest of us. */
const ownerName = /^[^\p{Cc}\p{Cs}]{1,200}$/u;

type Check = (token: string) => Promise<JWTVerifyResult>;

/** Checks tokens (RFC 7519) with jose, which is loaded with the first of them: a start must not wait for it. */
export function createTokenVerifier(config: JwtConfig): TokenVerifier {
  let check: Promise<Check> | undefined;
  return {
    async verify(token) {
      check ??= createCheck(config);
      const { payload } = await (await check)(token).catch((error: unknown) => {
        throw toRefusal(error);
      });
      const owner = payload[config.ownerClaim];
      // The name of those without a key is nobody's.
      if (typeof owner !== 'string' || !ownerName.test(owner) || owner === anonymousOwner) {
        throw new AppError('unauthenticated', `The token names no owner in "${config.ownerClaim}".`);
      }
      return { owner, expiresAtMs: ((payload.exp ?? 0) + clockToleranceSeconds) * 1000 };
    },
  };
}

async function createCheck({ source, issuer, audience, ownerClaim }: JwtConfig): Promise<Check> {
  const { createRemoteJWKSet, errors, jwtVerify } = await import('jose');
  const options: JWTVerifyOptions = {
    algorithms: 'secret' in source ? ['HS256'] : publicKeyAlgorithms,
    clockTolerance: clockToleranceSeconds,
    // A token without an end could never be taken back.
    requiredClaims: ['exp', ownerClaim],
    ...(issuer !== null && { issuer }),
    ...(audience !== null && { audience }),
  };
  if ('secret' in source) {
    const secret = new TextEncoder().encode(source.secret);
    return (token) => jwtVerify(token, secret, options);
  }
  const keySet: JWTVerifyGetKey = createRemoteJWKSet(new URL(source.jwksUrl), {
    cacheMaxAge: keySetMaxAgeMs,
    cooldownDuration: keySetCooldownMs,
    timeoutDuration: keySetTimeoutMs,
  });
  return async (token) => {
    try {
      return await jwtVerify(token, keySet, options);
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
      // The token does not say which key: any that fits will do.
      for await (const key of error) {
        const result = await jwtVerify(token, key, options).catch(() => null);
        if (result) return result;
      }
      throw new errors.JWSSignatureVerificationFailed();
    }
  };
}

/** What jose says of a token, and not of the key set that it could not fetch or read. */
const aboutToken = /^ERR_(JWT|JWS|JOSE_ALG|JOSE_NOT|JWKS_NO_MATCHING)/;

function toRefusal(error: unknown): AppError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ERR_JWT_EXPIRED') return new AppError('unauthenticated', 'The token has expired.');
  if (aboutToken.test(code)) return new AppError('unauthenticated', 'This token does not hold.', { cause: error });
  return new AppError('identity_unavailable', 'Tokens cannot be checked at the moment.', {
    cause: error,
    details: { retryAfterSeconds: 5 },
  });
}
