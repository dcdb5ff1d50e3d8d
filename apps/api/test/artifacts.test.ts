import { testRedisUrl } from '@studymate/queue/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cutChunk, finishLecture, makeLecture, makeSegment, writeChunk } from './support/made-lecture.ts';
import { startTestApi, type TestApi } from './support/test-api.ts';

let t: TestApi;
let id: string;
const failure = { code: 'model_crashed', message: 'the model ended', attempt: 1, failedAt: '2026-01-01T00:00:00.000Z' };
const transcript = {
  language: 'en',
  text: 'Hello <there>. And on.',
  segments: [makeSegment(0, 'Hello <there>.'), makeSegment(1, 'And on.')],
};
const chapters = [
  ...[0, 20, 40].map((start, i) => ({ start, end: start + 20, title: `Part ${i}`, level: 'general' as const })),
  { start: 0, end: 60, title: 'All of it', level: 'coarse' as const },
];
const flashcards = [
  { id: 'c1', type: 'definition' as const, front: 'Type, "movable"', back: '=a piece of metal', start: 3 },
];

beforeAll(async () => {
  t = await startTestApi({ redisUrl: testRedisUrl() });
  ({ id } = await makeLecture(t, { title: 'Printing & "presses" ./ 🎓' }));
  const topics = [
    { id: 0, label: 'print', terms: [{ term: 'type', weight: 1 }], size: 2, spans: [{ start: 0, end: 2 }] },
  ];
  const summary = { statements: [{ text: 'Hello.', start: 0, end: 1 }], keyTerms: [] };
  await finishLecture(t, id, { assemble: transcript, chapters, topics, summary, flashcards });
});
afterAll(async () => {
  await t?.close();
});

const get = (path: string, init?: RequestInit) => fetch(`${t.url}/api/v1/lectures/${path}`, init);
const codeOf = async (path: string) => {
  const response = await get(path);
  return `${response.status} ${((await response.json()) as { error?: { code: string } }).error?.code ?? 'no error'}`;
};

test('a finished lecture: the client reads every part as it was written', async () => {
  expect(await t.client.getTranscript(id)).toEqual({ ...transcript, version: 0 });
  expect(await t.client.getChapters(id)).toEqual(chapters);
  expect(await t.client.getChapters(id, { level: 'coarse' })).toEqual([chapters[3]]);
  expect(await t.client.getTopics(id)).toMatchObject([{ label: 'print' }]);
  expect(await t.client.getSummary(id)).toMatchObject({ statements: [{ start: 0, end: 1 }] });
  expect(await t.client.getFlashcards(id)).toEqual(flashcards);
});

test.each([
  ['transcript', 'text', 'text/plain; charset=utf-8', 'txt', /Hello <there>/],
  ['transcript', 'srt', 'application/x-subrip; charset=utf-8', 'srt', /^1\r?\n00:00:00,000 --> /],
  ['transcript', 'vtt', 'text/vtt; charset=utf-8', 'vtt', /^WEBVTT[\s\S]*Hello &lt;there/],
  ['chapters', 'youtube', 'text/plain; charset=utf-8', 'chapters.txt', /^0:00 Part 0\n0:20 Part 1\n0:40 Part 2/],
  ['chapters', 'vtt', 'text/vtt; charset=utf-8', 'chapters.vtt', /^WEBVTT/],
  ['flashcards', 'anki', 'text/tab-separated-values; charset=utf-8', 'anki.txt', /^#separator:tab/],
  ['flashcards', 'csv', 'text/csv; charset=utf-8', 'csv', /"Type, ""movable"""/],
] as const)(
  '%s as %s: its own content type, a safe file name, the right form',
  async (part, format, type, ending, form) => {
    const response = await get(`${id}/${part}?format=${format}`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(type);
    const disposition = response.headers.get('content-disposition') ?? '';
    expect(disposition).toMatch(
      /^attachment; filename="Printing & _presses_ \._ __?\.[a-z.]+"; filename\*=UTF-8''Printing%20%26%20_presses_/,
    );
    expect(disposition).toContain(`.${ending}"`);
    expect(await response.text()).toMatch(form);
  },
);

test('a format or a level that does not exist: invalid_request', async () => {
  for (const path of ['transcript?format=pdf', 'chapters?format=srt', 'chapters?level=tiny', 'topics?format=csv']) {
    expect(await codeOf(`${id}/${path}`)).toBe('400 invalid_request');
  }
});

test('chapters that YouTube would not show: refused with the reason', async () => {
  const response = await get(`${id}/chapters?format=youtube&level=coarse`);
  expect(response.status).toBe(400);
  expect(await response.text()).toContain('at least 3 chapters');
});

test('a lecture that has not begun: every part is not_ready, with Retry-After', async () => {
  const fresh = await makeLecture(t);
  for (const part of ['transcript', 'chapters', 'topics', 'summary', 'flashcards']) {
    const response = await get(`${fresh.id}/${part}`);
    expect([response.status, response.headers.get('retry-after')]).toEqual([409, '2']);
    expect(((await response.json()) as { error: { code: string } }).error.code).toBe('not_ready');
  }
});

test('a lecture whose ingest failed: every part is stage_failed and names the cause', async () => {
  const broken = await makeLecture(t, {
    failures: { ingest: { ...failure, code: 'not_media', message: 'no recording' } },
  });
  for (const part of ['transcript', 'summary']) {
    const response = await get(`${broken.id}/${part}`);
    const { error } = (await response.json()) as { error: object };
    expect(response.status).toBe(409);
    expect(error).toMatchObject({ code: 'stage_failed', stage: 'ingest', cause: { code: 'not_media' } });
  }
});

test('a failure of an earlier attempt: does not count', async () => {
  const retried = await makeLecture(t, { failures: { ingest: failure }, attempts: { ingest: 2 } });
  expect(await codeOf(`${retried.id}/transcript`)).toBe('409 not_ready');
});

test.each([
  ['still runs', {}, '409 not_ready'],
  ['has failed', { failures: { transcribe: failure } }, '409 stage_failed'],
  ['was cancelled', { cancelledAt: failure.failedAt }, '409 lecture_cancelled'],
])(
  'a lecture that %s: what is transcribed so far can be read when asked for, with its gaps',
  async (_, changes, code) => {
    const { id: partialId } = await makeLecture(t, { title: 'Half', ...changes });
    expect(await t.client.getPartialTranscript(partialId)).toEqual({
      language: null,
      text: '',
      version: 0,
      segments: [],
      complete: false,
      gaps: [],
    });
    for (const chunk of [0, 1, 2, 3]) await cutChunk(t, partialId, chunk);
    await writeChunk(t, partialId, 3, ['The end.']);
    await writeChunk(t, partialId, 0, ['The beginning.', 'Then more.']);
    expect(await codeOf(`${partialId}/transcript`)).toBe(code);
    expect(await codeOf(`${partialId}/transcript?partial=false`)).toBe(code);
    const partial = await t.client.getPartialTranscript(partialId);
    expect(partial).toMatchObject({ language: 'en', text: 'The beginning. Then more. The end.', complete: false });
    expect(partial.segments.map((segment) => segment.id)).toEqual([0, 1, 2]);
    expect(partial.gaps).toEqual([
      { start: 10, end: 20 },
      { start: 20, end: 30 },
    ]);
    const subtitles = await get(`${partialId}/transcript?partial=true&format=vtt`);
    expect(await subtitles.text()).toMatch(/^WEBVTT[\s\S]*The beginning\.[\s\S]*The end\./);
    expect(await codeOf(`${partialId}/transcript?partial=maybe`)).toBe('400 invalid_request');
  },
);

test('a lecture with its whole transcript, or with none to come: what there is so far is complete', async () => {
  expect(await t.client.getPartialTranscript(id)).toEqual({ ...transcript, version: 0, complete: true, gaps: [] });
  const silent = await makeLecture(t, { skipped: { assemble: 'no_speech' } });
  expect(await t.client.getPartialTranscript(silent.id)).toMatchObject({ segments: [], complete: true });
});

test('a lecture transcribed once more: the text of the earlier attempt is not shown as part of the new one', async () => {
  const { id: again } = await makeLecture(t, { attempts: { ingest: 2, transcribe: 2 } });
  await writeChunk(t, again, 0, ['Of the first attempt.']);
  await writeChunk(t, again, 0, ['Of the second.'], 2);
  expect((await t.client.getPartialTranscript(again)).text).toBe('Of the second.');
});

test('a silent lecture: the transcript is empty, the other parts were skipped', async () => {
  const skipped = {
    chapters: 'no_speech',
    topics: 'no_speech',
    summary: 'no_speech',
    flashcards: 'no_speech',
  } as const;
  const silent = await makeLecture(t, { skipped: { ...skipped, transcribe: 'no_speech', assemble: 'no_speech' } });
  expect(await t.client.getTranscript(silent.id)).toEqual({ language: null, text: '', segments: [], version: 0 });
  expect(await t.client.getExport(silent.id, 'transcript', 'vtt')).toMatch(/^WEBVTT/);
  for (const part of Object.keys(skipped)) expect(await codeOf(`${silent.id}/${part}`)).toBe('409 stage_skipped');
});

test('an artifact that is damaged: internal, without telling what lies in the store', async () => {
  const { id: damagedId } = await makeLecture(t);
  const record = await finishLecture(t, damagedId, { assemble: transcript });
  await t.blobs.put(record.artifacts.assemble?.key ?? '', Buffer.from('{"half'));
  const response = await get(`${damagedId}/transcript`);
  expect(response.status).toBe(500);
  expect(((await response.json()) as { error: { message: string } }).error.message).toBe(
    'Something went wrong on our side.',
  );
});

test('media: whole, by single ranges, and by HEAD', async () => {
  const whole = await get(`${id}/media`);
  expect(whole.status).toBe(200);
  expect(Object.fromEntries(whole.headers)).toMatchObject({
    'content-type': 'audio/mpeg',
    'content-length': '10',
    'accept-ranges': 'bytes',
    'x-content-type-options': 'nosniff',
    'content-disposition': 'inline; filename="printing.mp3"',
  });
  expect(await whole.text()).toBe('0123456789');
  const etag = whole.headers.get('etag') ?? '';
  for (const [range, body, contentRange] of [
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=0-99', '0123456789', 'bytes 0-9/10'],
    ['bytes=-99', '0123456789', 'bytes 0-9/10'],
  ] as const) {
    const part = await get(`${id}/media`, { headers: { range } });
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([206, contentRange, body]);
  }
  const head = await get(`${id}/media`, { method: 'HEAD', headers: { range: 'bytes=0-0' } });
  expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([206, '1', '']);
  expect((await get(`${id}/media`, { headers: { 'if-none-match': etag } })).status).toBe(304);
  const same = await get(`${id}/media`, { headers: { range: 'bytes=1-1', 'if-range': etag } });
  expect([same.status, await same.text()]).toEqual([206, '1']);
  const other = await get(`${id}/media`, { headers: { range: 'bytes=1-1', 'if-range': '"other"' } });
  expect([other.status, await other.text()]).toEqual([200, '0123456789']);
});

test.each(['bytes=10-', 'bytes=99-100', 'bytes=-0'])(
  'media with range %s: 416 that tells the length',
  async (range) => {
    const response = await get(`${id}/media`, { headers: { range } });
    expect([response.status, response.headers.get('content-range')]).toEqual([416, 'bytes */10']);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    for (const header of ['content-disposition', 'accept-ranges', 'etag']) {
      expect(response.headers.get(header)).toBeNull();
    }
    expect(((await response.json()) as { error: { code: string } }).error.code).toBe('range_not_satisfiable');
  },
);

test.each(['bytes=0-1,3-4', 'items=0-1', 'bytes=4-2', 'bytes=x'])('media with range %s: ignored', async (range) => {
  const response = await get(`${id}/media`, { headers: { range } });
  expect([response.status, await response.text()]).toEqual([200, '0123456789']);
});

test('media that claims to be a page: served as bytes only', async () => {
  const media = { key: '', fileName: 'a";\r\nx: y.html', contentType: 'text/html', bytes: 10, sha256: 'aa' };
  const base = await makeLecture(t);
  const evil = await makeLecture(t, { media: { ...media, key: base.media.key } });
  const response = await get(`${evil.id}/media`);
  expect(response.headers.get('content-type')).toBe('application/octet-stream');
  expect(response.headers.get('content-disposition')).toBe('inline; filename="a_;x_ y.html"');
  expect(response.headers.get('content-security-policy')).toContain('sandbox');
});

test.each([
  ['application/octet-stream', 'lecture.MP3', 'audio/mpeg'],
  ['', 'talk.opus', 'audio/ogg'],
  ['text/html', 'talk.mkv', 'video/x-matroska'],
  ['audio/x-m4a', 'talk.wav', 'audio/x-m4a'],
  ['application/octet-stream', 'mp3', 'application/octet-stream'],
  ['application/octet-stream', 'talk.mp3.svg', 'application/octet-stream'],
])('media kept as %j under the name %j: served as %s', async (contentType, fileName, served) => {
  const { media } = await makeLecture(t);
  const lecture = await makeLecture(t, { media: { ...media, contentType, fileName } });
  const response = await get(`${lecture.id}/media`);
  expect([response.headers.get('content-type'), await response.text()]).toEqual([served, '0123456789']);
});
