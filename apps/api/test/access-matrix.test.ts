import { testRedisUrl } from '@studymate/queue/testing';
import { createConversationStore } from '@studymate/storage/conversation-store';
import { createKeyStore } from '@studymate/storage/key-store';
import { createPartialFiles } from '@studymate/storage/partial-files';
import { createUploadStore, type UploadStore } from '@studymate/storage/upload-store';
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
  /** Is about a lecture or a course: members of the course may read it, all others are told that there is none. */
  | 'shared'
  /** Changes one, or shows what only its owner sees: members are told that they may not, all others that there is none. */
  | 'changes'
  /** Is its owner's alone: all others are told that there is none. */
  | 'private';

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
const course = '/api/v1/courses/:id';
const tus = { 'tus-resumable': '1.0.0' };
const firstPart = {
  headers: { ...tus, 'content-type': 'application/offset+octet-stream', 'upload-offset': '0' },
  body: 'abc',
};

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
  'POST /api/v1/lectures': { access: 'own', status: 400, init: badBody },
  'POST /api/v1/uploads': { access: 'own', status: 201, init: { headers: { ...tus, 'upload-length': '3' } } },
  'PATCH /api/v1/uploads/:id': { access: 'private', status: 204, init: firstPart },
  'DELETE /api/v1/uploads/:id': { access: 'private', status: 204, init: { headers: tus } },
  'POST /api/v1/uploads/:id': {
    access: 'private',
    status: 204,
    init: { ...firstPart, headers: { ...firstPart.headers, 'x-http-method-override': 'PATCH' } },
  },
  'POST /api/v1/transcribe': { access: 'own', status: 415, init: badBody },
  'POST /api/v1/topics': { access: 'own', status: 400, init: badBody },
  'POST /api/v1/chapters': { access: 'own', status: 400, init: badBody },
  'POST /api/v1/summarize': { access: 'own', status: 400, init: badBody },
  'POST /api/v1/summarize/stream': { access: 'own', status: 400, init: badBody },
  'POST /api/v1/ask': { access: 'own', status: 400, init: badBody },
  'GET /api/v1/conversations': { access: 'own', status: 200 },
  'GET /api/v1/conversations/:id': { access: 'private', status: 200 },
  'DELETE /api/v1/conversations/:id': { access: 'private', status: 204 },
  'GET /api/v1/search': { access: 'own', status: 200 },
  'GET /api/v1/models/status': { access: 'own', status: 200 },
  'POST /v1/audio/transcriptions': { access: 'own', status: 415, init: badBody },
  'POST /v1/audio/translations': { access: 'own', status: 415, init: badBody },
  'GET /v1/models': { access: 'own', status: 200 },
  'GET /v1/models/:model': { access: 'own', status: 200 },
  'POST /api/v1/warmup': { access: 'own', status: 400, init: json({ families: 'nonsense' }) },
  'GET /api/v1/export': { access: 'own', status: 200 },
  'GET /api/v1/courses': { access: 'own', status: 200 },
  'POST /api/v1/courses': { access: 'own', status: 400, init: badBody },
  [`GET ${course}`]: { access: 'shared', status: 200 },
  [`GET ${course}/topics`]: { access: 'shared', status: 200 },
  [`PATCH ${course}`]: { access: 'changes', status: 200, init: { ...json({ title: 'Mine' }), method: 'PATCH' } },
  [`DELETE ${course}`]: { access: 'changes', status: 204 },
  [`PUT ${course}/members/:owner`]: { access: 'changes', status: 200 },
  [`DELETE ${course}/members/:owner`]: { access: 'changes', status: 204 },
  [`GET ${lecture}`]: { access: 'shared', status: 200 },
  [`PATCH ${lecture}`]: { access: 'changes', status: 200, init: { ...json({ title: 'Mine' }), method: 'PATCH' } },
  [`DELETE ${lecture}`]: { access: 'changes', status: 204 },
  [`POST ${lecture}/cancel`]: { access: 'changes', status: 202 },
  [`POST ${lecture}/stages/:stage/retry`]: { access: 'changes', status: 202 },
  [`GET ${lecture}/events`]: { access: 'shared', status: 200 },
  [`GET ${lecture}/media`]: { access: 'shared', status: 200 },
  [`GET ${lecture}/transcript`]: { access: 'shared', status: 200 },
  [`PATCH ${lecture}/transcript`]: { access: 'changes', status: 400, init: { ...badBody, method: 'PATCH' } },
  [`GET ${lecture}/transcript/versions`]: { access: 'changes', status: 200 },
  [`POST ${lecture}/transcript/restore`]: { access: 'changes', status: 400, init: badBody },
  [`GET ${lecture}/transcript/unplaced`]: { access: 'changes', status: 200 },
  [`DELETE ${lecture}/transcript/unplaced`]: { access: 'changes', status: 200 },
  [`GET ${lecture}/chapters`]: { access: 'shared', status: 200 },
  [`GET ${lecture}/chapters/:index/related`]: { access: 'shared', status: 200 },
  [`GET ${lecture}/topics`]: { access: 'shared', status: 200 },
  [`GET ${lecture}/summary`]: { access: 'shared', status: 200 },
  [`GET ${lecture}/waveform`]: { access: 'shared', status: 200 },
  [`GET ${lecture}/flashcards`]: { access: 'shared', status: 200 },
  [`GET ${lecture}/quiz`]: { access: 'shared', status: 200 },
  // Members have reviews of their own.
  [`GET ${lecture}/reviews`]: { access: 'shared', status: 200 },
  [`POST ${lecture}/reviews`]: { access: 'shared', status: 400, init: badBody },
  [`DELETE ${lecture}/reviews`]: { access: 'shared', status: 204 },
};

let t: TestApi;
let uploads: UploadStore;
let ada: string;
let bob: string;
let cat: string;
let revoked: string;
beforeAll(async () => {
  t = await startTestApi({ redisUrl: testRedisUrl(), env: { AUTH: 'keys' } });
  const partials = await createPartialFiles({ rootDir: t.config.dataDir });
  uploads = createUploadStore({ blobs: t.blobs, partials });
  const keys = createKeyStore(t);
  ada = (await keys.create({ owner: 'ada', label: '' })).key;
  bob = (await keys.create({ owner: 'bob', label: '' })).key;
  cat = (await keys.create({ owner: 'cat', label: '' })).key;
  const third = await keys.create({ owner: 'ada', label: '' });
  await keys.revoke(third.info.id);
  revoked = third.key;
});
afterAll(async () => {
  await t?.close();
});

interface Hers {
  lectureId: string;
  courseId: string;
}

/**
 * A finished lecture of hers, with every part, in a course that she shares with Cat and Dan; and an upload and a
 * conversation of hers under the lecture's id.
 */
async function makeAdas(): Promise<Hers> {
  const { id: courseId } = await t.clientFor(ada).createCourse('Printing');
  for (const member of ['cat', 'dan']) await t.clientFor(ada).addMember(courseId, member);
  const { id } = await makeLecture(t, { owner: 'ada', courseId });
  await uploads.create({ owner: 'ada', id, bytes: 3, metadata: {} });
  const asked = { question: 'Why?', understoodAs: 'Why?', answerable: false, passages: [] };
  await createConversationStore(t).add('ada', id, { ...asked, askedAt: new Date(0).toISOString() });
  await finishLecture(t, id, {
    assemble: { language: 'en', text: '', segments: [] },
    chapters: [{ start: 0, end: 60, title: 'All', level: 'general' }],
    topics: [],
    summary: { statements: [], keyTerms: [] },
    flashcards: [],
  });
  return { lectureId: id, courseId };
}

/** What is there of it, to see that nobody has changed it. */
async function readBoth({ lectureId, courseId }: Hers) {
  return [await t.lectures.read(lectureId), await t.clientFor(ada).getCourse(courseId)];
}

function toUrl(path: string, { lectureId, courseId }: Hers): string {
  const id = path.startsWith(course) ? courseId : lectureId;
  const found = path.replace(/\/search$/, '/search?q=type&mode=keyword');
  const named = found
    .replace(':id', id)
    .replace(':stage', 'summary')
    .replace(':index', '0')
    .replace(':model', 'whisper-1');
  return `${t.url}${named.replace(':owner', 'dan')}`;
}

/** Each caller has an address of its own, so that wrong keys are not counted together. */
let address = 0;
async function ask(route: string, hers: Hers, key?: string): Promise<Response> {
  const [method = '', path = ''] = route.split(' ');
  const { init } = rules[route] ?? {};
  const headers = new Headers(init?.headers);
  if (key !== undefined) headers.set('authorization', `Bearer ${key}`);
  headers.set('x-forwarded-for', `192.0.2.${++address % 250}`);
  return fetch(toUrl(path, hers), { ...init, method, headers });
}

/** "METHOD /path" of all that the router has. */
async function listRoutes(): Promise<string[]> {
  const { stack } = (t.api.handler as unknown as Express).router;
  const paths = stack.flatMap(({ route }) => (route ? [route.path] : []));
  const hers = await makeAdas();
  const found: string[] = [];
  for (const path of paths) {
    const response = await fetch(toUrl(path, hers), { method: 'OPTIONS', headers: { 'x-api-key': ada } });
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
    const hers = await makeAdas();
    const before = await readBoth(hers);
    const madeUp = `${ada.slice(0, -1)}${ada.endsWith('A') ? 'B' : 'A'}`;
    for (const key of [undefined, 'nonsense', madeUp, revoked]) {
      const response = await ask(route, hers, key);
      expect(response.status).toBe(access === 'open' ? status : 401);
      await response.body?.cancel();
    }
    expect(await readBoth(hers)).toEqual(before);
  });

  test('an owner, another owner, a member of the course', async () => {
    const hers = await makeAdas();
    const before = await readBoth(hers);
    const isHers = access === 'shared' || access === 'changes' || access === 'private';
    const others = await ask(route, hers, bob);
    expect(others.status).toBe(isHers ? 404 : status);
    const text = await others.text();
    expect(text).not.toMatch(new RegExp(`${hers.lectureId}|${hers.courseId}`));
    if (isHers) {
      // As if it did not exist: the same words as for one that never was.
      const toOther = (id: string) => `${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}`;
      const neverWas = { lectureId: toOther(hers.lectureId), courseId: toOther(hers.courseId) };
      const { error } = JSON.parse(text) as { error: { message: string } };
      const unknown = (await (await ask(route, neverWas, bob)).json()) as { error: { message: string } };
      expect(unknown.error.message).toBe(error.message);
    }
    const members = await ask(route, hers, cat);
    expect(members.status).toBe(access === 'changes' ? 403 : access === 'private' ? 404 : status);
    await members.body?.cancel();
    expect(await readBoth(hers)).toEqual(before);
    const own = await ask(route, hers, ada);
    expect(own.status).toBe(status);
    await own.body?.cancel();
  });
});

test('HEAD asks for a key as GET does', async () => {
  const hers = await makeAdas();
  for (const route of Object.keys(rules).filter((name) => name.startsWith('GET '))) {
    if (rules[route]?.access === 'open') continue;
    const url = toUrl(route.slice(4), hers);
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(401);
    const other = await fetch(url, { method: 'HEAD', headers: { 'x-api-key': bob } });
    expect(other.status).toBe(rules[route]?.access === 'own' ? 200 : 404);
  }
});

test('another spelling of a path is no way around: capitals, a slash more, escapes', async () => {
  const { lectureId: id } = await makeAdas();
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
  const { lectureId: mine } = await makeAdas();
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
