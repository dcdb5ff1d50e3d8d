import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JwtConfig } from '@studymate/config/config';
import { testRedisUrl } from '@studymate/queue/testing';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTokenVerifier } from '../src/auth/token-verifier.ts';
import { makeLecture } from './support/made-lecture.ts';
import { listen } from './support/sse.ts';
import { startTestApi, type TestApi } from './support/test-api.ts';

const secret = 'a secret of more than thirty-two bytes';
const issuer = 'https://id.example';
const audience = 'studymate';
const nowSeconds = () => Math.floor(Date.now() / 1000);

interface Claims {
  [name: string]: unknown;
}
const claims = (changes: Claims = {}): Claims => ({
  iss: issuer,
  aud: audience,
  sub: 'ada',
  exp: nowSeconds() + 600,
  ...changes,
});
const sign = (payload: Claims, key: CryptoKey | string = secret, header: { alg?: string; kid?: string } = {}) =>
  new SignJWT(payload)
    .setProtectedHeader({ alg: 'HS256', ...header })
    .sign(typeof key === 'string' ? new TextEncoder().encode(key) : key);
const config = (changes: Partial<JwtConfig> = {}): JwtConfig => ({
  source: { secret },
  issuer,
  audience,
  ownerClaim: 'sub',
  ...changes,
});

describe('a token signed with the secret', () => {
  const verifier = createTokenVerifier(config());

  test('that holds: names the owner, and until when', async () => {
    const exp = nowSeconds() + 600;
    const identity = await verifier.verify(await sign(claims({ exp })));
    expect(identity.owner).toBe('ada');
    // With the tolerance for clocks that differ.
    expect(identity.expiresAtMs).toBe((exp + 10) * 1000);
  });

  test('with another claim as owner: that one counts', async () => {
    const byMail = createTokenVerifier(config({ ownerClaim: 'email' }));
    expect(await byMail.verify(await sign(claims({ email: 'ada@example.org' })))).toMatchObject({
      owner: 'ada@example.org',
    });
    await expect(byMail.verify(await sign(claims()))).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  test.each<[string, Claims]>([
    ['expired', { exp: nowSeconds() - 60 }],
    ['not yet valid', { nbf: nowSeconds() + 60 }],
    ['without an end', { exp: undefined }],
    ['of another issuer', { iss: 'https://other.example' }],
    ['for another audience', { aud: ['others'] }],
    ['without an owner', { sub: undefined }],
    ['whose owner is no text', { sub: { $ne: '' } }],
    ['whose owner is empty', { sub: '' }],
    ['whose owner has control characters', { sub: 'ada\u0000' }],
    ['whose owner is the one without a key', { sub: 'local' }],
  ])('%s: refused', async (_, changes) => {
    await expect(verifier.verify(await sign(claims(changes)))).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  test('a moment over its end or before its beginning, as when clocks differ: taken', async () => {
    for (const changes of [{ exp: nowSeconds() - 5 }, { nbf: nowSeconds() + 5 }]) {
      expect(await verifier.verify(await sign(claims(changes)))).toMatchObject({ owner: 'ada' });
    }
  });

  test('signed with another secret or algorithm, not at all, or no token: refused', async () => {
    const { privateKey } = await generateKeyPair('RS256');
    const wrong = [
      await sign(claims(), 'another secret of more than thirty-two bytes'),
      await sign(claims(), secret, { alg: 'HS512' }),
      await sign(claims(), privateKey, { alg: 'RS256' }),
      new UnsecuredJWT(claims()).encode(),
      (await sign(claims())).replace(/\.[^.]+$/, '.'),
      'nonsense',
      '',
    ];
    for (const token of wrong) {
      await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'unauthenticated' });
    }
  });
});

describe('a token signed with a key of a key set', () => {
  let server: Server;
  let url: string;
  let keys: JWK[];
  let status = 200;
  let asked = 0;
  beforeAll(async () => {
    server = createServer((_req, res) => {
      asked++;
      res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  });
  beforeEach(() => {
    keys = [];
    status = 200;
    asked = 0;
  });
  afterAll(() => server.close());

  async function addKey(kid: string | undefined, alg = 'ES256'): Promise<CryptoKey> {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    keys.push({ ...(await exportJWK(publicKey)), alg, ...(kid !== undefined && { kid }) });
    return privateKey;
  }
  const verifierOf = (jwksUrl = url) => createTokenVerifier(config({ source: { jwksUrl } }));

  test('that holds: the set is fetched once for many tokens', async () => {
    const key = await addKey('one');
    const verifier = verifierOf();
    const token = await sign(claims(), key, { alg: 'ES256', kid: 'one' });
    const identities = await Promise.all([verifier.verify(token), verifier.verify(token)]);
    expect([...identities, await verifier.verify(token)].map(({ owner }) => owner)).toEqual(['ada', 'ada', 'ada']);
    expect(asked).toBe(1);
  });

  test('made with RSA, Ed25519, or by one of two keys without naming it: taken', async () => {
    for (const alg of ['RS256', 'EdDSA']) {
      const key = await addKey(alg, alg);
      expect(await verifierOf().verify(await sign(claims(), key, { alg, kid: alg }))).toMatchObject({ owner: 'ada' });
    }
    keys = [];
    await addKey(undefined);
    const second = await addKey(undefined);
    expect(await verifierOf().verify(await sign(claims(), second, { alg: 'ES256' }))).toMatchObject({ owner: 'ada' });
  });

  test('by a key that the set does not have: refused, and no flood of such tokens makes it fetched again and again', async () => {
    await addKey('one');
    const { privateKey } = await generateKeyPair('ES256');
    const verifier = verifierOf();
    for (let i = 0; i < 5; i++) {
      const token = await sign(claims(), privateKey, { alg: 'ES256', kid: `made up ${i}` });
      await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'unauthenticated' });
    }
    expect(asked).toBe(1);
  });

  test('by its public key taken for a shared secret: refused', async () => {
    await addKey('one', 'RS256');
    const forged = await sign(claims(), JSON.stringify(keys[0]), { alg: 'HS256', kid: 'one' });
    await expect(verifierOf().verify(forged)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  test('while the set cannot be fetched: the caller is told to come again, and is not taken for a stranger', async () => {
    const key = await addKey('one');
    const token = await sign(claims(), key, { alg: 'ES256', kid: 'one' });
    status = 500;
    const verifier = verifierOf();
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'identity_unavailable' });
    // Nobody listens on a port that is reserved for something of long ago (tcpmux).
    await expect(verifierOf('http://127.0.0.1:1/').verify(token)).rejects.toMatchObject({
      code: 'identity_unavailable',
    });
    status = 200;
    expect(await verifier.verify(token)).toMatchObject({ owner: 'ada' });
  });
});

describe('the API with AUTH=jwt', () => {
  let t: TestApi;
  beforeAll(async () => {
    const env = { AUTH: 'jwt', JWT_SECRET: secret, JWT_ISSUER: issuer, JWT_AUDIENCE: audience };
    t = await startTestApi({ redisUrl: testRedisUrl(), env });
  });
  afterAll(async () => {
    await t?.close();
  });
  const list = (headers: Record<string, string>) => fetch(`${t.url}/api/v1/lectures`, { headers });

  test('gives an owner what is theirs, by header or cookie, and others nothing', async () => {
    const { id } = await makeLecture(t, { owner: 'ada' });
    const [ada, bob] = [await sign(claims()), await sign(claims({ sub: 'bob' }))];
    expect((await t.clientFor(ada).listLectures()).lectures.map((each) => each.id)).toEqual([id]);
    await expect(t.clientFor(bob).getLecture(id)).rejects.toMatchObject({ code: 'not_found' });
    const signedIn = await fetch(`${t.url}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: ada }),
    });
    expect(await signedIn.json()).toEqual({ owner: 'ada' });
    const cookie = signedIn.headers.get('set-cookie') ?? '';
    // It ends with the token.
    const maxAge = Number(/Max-Age=(\d+)/.exec(cookie)?.[1]);
    expect(maxAge).toBeGreaterThan(300);
    expect(maxAge).toBeLessThanOrEqual(610);
    expect((await list({ cookie: cookie.split(';')[0] ?? '' })).status).toBe(200);
  });

  test('refuses without a token and with an expired one, and says which', async () => {
    const none = await list({});
    expect([none.status, await none.json()]).toMatchObject([401, { error: { code: 'unauthenticated' } }]);
    const expired = await list({ authorization: `Bearer ${await sign(claims({ exp: nowSeconds() - 60 }))}` });
    expect(expired.headers.get('www-authenticate')).toContain('error="invalid_token"');
    expect(await expired.json()).toMatchObject({ error: { message: 'The token has expired.' } });
  });

  test('who guesses behind an address is stopped, who has a token there is not', async () => {
    const address = { 'x-forwarded-for': '192.0.2.77' };
    for (let i = 0; i < 20; i++) expect((await list({ ...address, authorization: 'Bearer x' })).status).toBe(401);
    expect((await list({ ...address, authorization: 'Bearer x' })).status).toBe(429);
    expect((await list({ ...address, authorization: `Bearer ${await sign(claims())}` })).status).toBe(200);
  });

  test('a token too long for a cookie: works in a header, and is refused as a session', async () => {
    const token = await sign(claims({ roles: 'x'.repeat(4_000) }));
    expect((await list({ authorization: `Bearer ${token}` })).status).toBe(200);
    await expect(t.client.signIn(token)).rejects.toMatchObject({ code: 'invalid_request' });
  });

  test('an event stream ends when its token expires', async () => {
    const { id } = await makeLecture(t, { owner: 'ada' });
    // Within the tolerance for clocks, which is 10 s.
    const token = await sign(claims({ exp: nowSeconds() - 2 }));
    const session = await t.client.signIn(token);
    expect(session).toEqual({ owner: 'ada' });
    const listener = await listen(`${t.url}/api/v1/lectures/${id}/events`, undefined, {
      authorization: `Bearer ${token}`,
    });
    await listener.next(({ name }) => name === 'snapshot');
    await expect(listener.ended).rejects.toThrow();
    expect((await list({ authorization: `Bearer ${token}` })).status).toBe(401);
  });
});
