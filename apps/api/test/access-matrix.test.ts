import { testRedisUrl } from '@studymate/queue/testing';
import { createKeyStore } from '@studymate/storage/key-store';
import type { Express } from 'express';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { finishLecture, makeLecture } from './support/made-lecture.ts';
import { startTestApi, type TestApi } from './support/test-api.ts';

/**
 * Who may do what, for every route that the router has: the list of routes is asked of the router and of the routes
 * themselves (OPTIONS), so a new one fails here until it is classified.
 */
type Access =
  /** Answers everybody, also without a key. */
  | 'open'
  /** Answers everybody who has a key, with what belongs to nobody or is the caller's own. */
  | 'own'
  /** Is about a lecture: others are told that there is none. */
  | 'lecture';

interface Rule {
  access: Access;
  /** What its rightful caller is answered here; 4xx where a test without a worker cannot give it what it wants. */
  status: number;
  init?: RequestInit;
}

const json = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
/** Found wanting by the route itself: it was let through to it. */
const badBody = json({});
const lecture = '/api/v1/lectures/:id';

const rules: Record<string, Rule> = {
  'GET /': { access: 'open', status: 200 },
  'GET /health/fast': { access: 'open', status: 200 },
  'GET /health/live': { access: 'open', status: 200 },
  'GET /health/ready': { access: 'open', status: 200 },
  'GET /openapi.json': { access: 'open', status: 200 },
  'GET /docs': { access: 'open', status: 200 },
  'GET /api/v1/session': { access: 'own', status: 200 },
  'POST /api/v1/session': { access: 'open', status: 400, init: badBody },
  'DELETE /api/v1/session': { access: 'open', status: 204 },
  'GET /api/v1/lectures': { access: 'own', status: 200 },
  'POST /api/v1/lectures': { access: 'own', status: 415, init: badBody },
  'POST /api/v1/transcribe': { access: 'own', status: 415, init: badBody },
  'POST /api/v1/topics': { access: 'own', status: 400, init: badBody },
  'POST /api/v1/chapters': { access: 'own', status: 400, init: badBody },
  'POST /api/v1/summarize': { access: 'own', status: 400, init: badBody },
  'POST /api/v1/summarize/stream': { access: 'own', status: 400, init: badBody },
  'GET /api/v1/search': { access: 'own', status: 200 },
  'GET /api/v1/models/status': { access: 'own', status: 200 },
  'POST /v1/audio/transcriptions': { access: 'own', status: 415, init: badBody },
  'POST /v1/audio/translations': { access: 'own', status: 415, init: badBody },
  'GET /v1/models': { access: 'own', status: 200 },
  'GET /v1/models/:model': { access: 'own', status: 200 },
  'POST /api/v1/warmup': { access: 'own', status: 400, init: json({ families: 'nonsense' }) },
  [`GET ${lecture}`]: { access: 'lecture', status: 200 },
  [`PATCH ${lecture}`]: { access: 'lecture', status: 200, init: { ...json({ title: 'Mine' }), method: 'PATCH' } },
  [`DELETE ${lecture}`]: { access: 'lecture', status: 204 },
  [`POST ${lecture}/cancel`]: { access: 'lecture', status: 202 },
  [`POST ${lecture}/stages/:stage/retry`]: { access: 'lecture', status: 202 },
  [`GET ${lecture}/events`]: { access: 'lecture', status: 200 },
  [`GET ${lecture}/media`]: { access: 'lecture', status: 200 },
  [`GET ${lecture}/transcript`]: { access: 'lecture', status: 200 },
  [`GET ${lecture}/chapters`]: { access: 'lecture', status: 200 },
  [`GET ${lecture}/topics`]: { access: 'lecture', status: 200 },
  [`GET ${lecture}/summary`]: { access: 'lecture', status: 200 },
  [`GET ${lecture}/flashcards`]: { access: 'lecture', status: 200 },
};

let t: TestApi;
let ada: string;
let bob: string;
let revoked: string;
beforeAll(async () => {
  t = await startTestApi({ redisUrl: testRedisUrl(), env: { AUTH: 'keys' } });
  const keys = createKeyStore(t);
  ada = (await keys.create({ owner: 'ada', label: '' })).key;
  bob = (await keys.create({ owner: 'bob', label: '' })).key;
  const third = await keys.create({ owner: 'ada', label: '' });
  await keys.revoke(third.info.id);
  revoked = third.key;
});
afterAll(async () => {
  await t?.close();
});

/** A finished lecture of hers, with every part. */
async function makeAdasLecture(): Promise<string> {
  const { id } = await makeLecture(t, { owner: 'ada' });
  await finishLecture(t, id, {
    assemble: { language: 'en', text: '', segments: [] },
    chapters: [],
    topics: [],
    summary: { statements: [], keyTerms: [] },
    flashcards: [],
  });
  return id;
}

function toUrl(path: string, lectureId: string): string {
  const found = path.replace(/\/search$/, '/search?q=type&mode=keyword');
  return `${t.url}${found.replace(':id', lectureId).replace(':stage', 'summary').replace(':model', 'whisper-1')}`;
}

/** Each caller has an address of its own, so that wrong keys are not counted together. */
let address = 0;
async function ask(route: string, lectureId: string, key?: string): Promise<Response> {
  const [method = '', path = ''] = route.split(' ');
  const { init } = rules[route] ?? {};
  const headers = new Headers(init?.headers);
  if (key !== undefined) headers.set('authorization', `Bearer ${key}`);
  headers.set('x-forwarded-for', `192.0.2.${++address % 250}`);
  return fetch(toUrl(path, lectureId), { ...init, method, headers });
}

/** "METHOD /path" of all that the router has. */
async function listRoutes(): Promise<string[]> {
  const { stack } = (t.api.handler as unknown as Express).router;
  const paths = stack.flatMap(({ route }) => (route ? [route.path] : []));
  const id = await makeAdasLecture();
  const found: string[] = [];
  for (const path of paths) {
    const response = await fetch(toUrl(path, id), { method: 'OPTIONS', headers: { 'x-api-key': ada } });
    const methods = (response.headers.get('allow') ?? '').split(', ');
    found.push(...methods.filter((name) => name !== 'HEAD' && name !== 'OPTIONS').map((name) => `${name} ${path}`));
  }
  return found;
}

test('every route of the router is classified here, and nothing else is', async () => {
  expect((await listRoutes()).sort()).toEqual(Object.keys(rules).sort());
});

describe.each(Object.entries(rules))('%s', (route, { access, status }) => {
  test('no key, a wrong one, a made-up one, a revoked one', async () => {
    const id = await makeAdasLecture();
    const madeUp = `${ada.slice(0, -1)}${ada.endsWith('A') ? 'B' : 'A'}`;
    for (const key of [undefined, 'nonsense', madeUp, revoked]) {
      const response = await ask(route, id, key);
      expect(response.status).toBe(access === 'open' ? status : 401);
      await response.body?.cancel();
    }
    // Nobody has changed anything.
    expect(await t.lectures.read(id)).toMatchObject({ id, version: 2, cancelledAt: null });
  });

  test('an owner, and another owner', async () => {
    const id = await makeAdasLecture();
    const before = await t.lectures.read(id);
    const others = await ask(route, id, bob);
    expect(others.status).toBe(access === 'lecture' ? 404 : status);
    const text = await others.text();
    expect(text).not.toContain(id);
    if (access === 'lecture') {
      // As if it did not exist: the same words as for a lecture that never was.
      const neverWas = await ask(route, `${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}`, bob);
      const { error } = JSON.parse(text) as { error: { message: string } };
      expect(((await neverWas.json()) as { error: { message: string } }).error.message).toBe(error.message);
    }
    expect(await t.lectures.read(id)).toEqual(before);
    const own = await ask(route, id, ada);
    expect(own.status).toBe(status);
    await own.body?.cancel();
  });
});

test('HEAD asks for a key as GET does', async () => {
  const id = await makeAdasLecture();
  for (const route of Object.keys(rules).filter((name) => name.startsWith('GET '))) {
    if (rules[route]?.access === 'open') continue;
    const url = toUrl(route.slice(4), id);
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(401);
    const other = await fetch(url, { method: 'HEAD', headers: { 'x-api-key': bob } });
    expect(other.status).toBe(rules[route]?.access === 'lecture' ? 404 : 200);
  }
});

test('another spelling of a path is no way around: capitals, a slash more, escapes', async () => {
  const id = await makeAdasLecture();
  const spellings = [
    '/API/v1/lectures',
    '/api/v1/lectures/',
    '/%61pi/v1/lectures',
    '//api/v1/lectures',
    '/api//v1/lectures',
  ];
  for (const path of [...spellings, ...spellings.map((path) => `${path}/${id}`)]) {
    expect((await fetch(`${t.url}${path}`)).status).toBe(401);
  }
});

test('an owner sees all of her lectures in the list, and none of the others', async () => {
  const mine = await makeAdasLecture();
  const his = await makeLecture(t, { owner: 'bob' });
  const ids = async (key: string) => {
    const found: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = await t.clientFor(key).listLectures({ limit: 100, ...(cursor !== '' && { cursor }) });
      found.push(...page.lectures.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    return found;
  };
  const hers = await ids(ada);
  expect(hers).toContain(mine);
  expect(hers).not.toContain(his.id);
  expect(await ids(bob)).toEqual([his.id]);
});
