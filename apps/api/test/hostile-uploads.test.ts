import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { testRedisUrl } from '@studymate/queue/testing';
import { claimsPrefix, mediaPrefix } from '@studymate/storage/lecture-keys';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { startTestApi, type TestApi, toFile, until } from './support/test-api.ts';

let t: TestApi;
beforeAll(async () => {
  t = await startTestApi({ redisUrl: testRedisUrl(), env: { MAX_UPLOAD_BYTES: '300000' } });
});
afterAll(async () => {
  await t?.close();
});

interface Answer {
  status: number;
  json: { id: string; title: string; error: { code: string } };
}

/** A body as it goes over the wire, so that nothing tidies it up on the way. */
async function post(body: Buffer | string, boundary = 'b'): Promise<Answer> {
  const response = await fetch(`${t.url}/api/v1/lectures`, {
    method: 'POST',
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}`, 'cache-control': 'no-cache' },
    body: new Uint8Array(Buffer.from(body)),
  });
  return { status: response.status, json: (await response.json()) as Answer['json'] };
}

const part = (disposition: string, content: string, more = '') =>
  `--b\r\ncontent-disposition: form-data; ${disposition}\r\n${more}\r\n${content}\r\n`;
const end = '--b--\r\n';
const mediaKeys = () => t.blobs.list(mediaPrefix);

describe('names that are meant to do harm', () => {
  test.each([
    ['NUL', 'name="file"; filename="a\0b.mp3"', 'ab.mp3'],
    ['folders', 'name="file"; filename="../../../etc/passwd"', 'passwd'],
    ['folders in the extended form', 'name="file"; filename*=UTF-8\'\'..%2F..%2Fetc%2Fpasswd', 'passwd'],
    ['only dots', 'name="file"; filename=".."', ''],
    ['quotes', 'name="file"; filename="a\\"b\\".mp3"', 'a"b".mp3'],
    ['emoji', 'name="file"; filename="🎓🎧 Vorlesung.mp3"', '🎓🎧 Vorlesung.mp3'],
    ['300 characters', `name="file"; filename="${'é'.repeat(300)}"`, 'é'.repeat(255)],
    ['300 emoji, cut between two', `name="file"; filename="${'🎓'.repeat(300)}"`, '🎓'.repeat(127)],
    ['letters that turn the direction of text', 'name="file"; filename="a\u202egpj.mp3"', 'agpj.mp3'],
    ['a header of its own', 'name="file"; filename="a%0D%0Aset-cookie: x=1.mp3"', 'a set-cookie: x=1.mp3'],
  ])('%s: the file is taken, under a name that does none', async (_, disposition, fileName) => {
    const { status, json } = await post(part(disposition, 'sound') + end);
    expect(status).toBe(202);
    const record = await t.lectures.read(json.id);
    expect(record?.media.fileName).toBe(fileName);
    // The name is a label: the file lies under an id of ours.
    expect(record?.media.key).toMatch(/^media\/[0-9a-z]{26}$/);
    const media = await fetch(`${t.url}/api/v1/lectures/${json.id}/media`);
    expect([media.status, await media.text(), media.headers.get('set-cookie')]).toEqual([200, 'sound', null]);
  });

  test('any name at all: is taken, is at most 255 characters long, and can be given back in a header', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 400 }), async (name) => {
        const disposition = `name="file"; filename="${name.replace(/[\r\n]/g, ' ').replace(/["\\]/g, '\\$&')}"`;
        const { status, json } = await post(part(disposition, 'sound') + end);
        expect(status).toBe(202);
        const fileName = (await t.lectures.read(json.id))?.media.fileName ?? '/';
        expect(fileName).not.toMatch(/[/\\\p{Cc}]/u);
        expect(fileName.length).toBeLessThanOrEqual(255);
        expect(json.title.length).toBeGreaterThan(0);
        expect((await fetch(`${t.url}/api/v1/lectures/${json.id}/media`)).status).toBe(200);
      }),
      { numRuns: 40 },
    );
  });
});

describe('bodies that are not as they should be', () => {
  test.each([
    ['the name of the part given twice', part('name="file"; name="title"; filename="a.mp3"', 'x') + end],
    ['no name at all', part('filename="a.mp3"', 'x') + end],
    ['no disposition', '--b\r\ncontent-type: audio/mpeg\r\n\r\nx\r\n--b--\r\n'],
    ['another disposition', '--b\r\ncontent-disposition: attachment; name="file"; filename="a"\r\n\r\nx\r\n--b--\r\n'],
    [
      'a multipart in the multipart',
      part('name="file"; filename="a"', 'x', 'content-type: multipart/mixed; boundary=c\r\n') + end,
    ],
    [
      'headers without an end',
      `--b\r\ncontent-disposition: form-data; name="file"; x="${'y'.repeat(100_000)}"\r\n\r\nx${end}`,
    ],
    ['a thousand headers', part('name="file"; filename="a"', 'x', 'x-a: b\r\n'.repeat(1_000)) + end],
    ['line ends of one character', part('name="file"; filename="a"', 'x').replaceAll('\r\n', '\n') + end],
    [
      'a name that is a part of every object',
      part('name="__proto__"', 'x') + part('name="file"; filename="a"', 'x') + end,
    ],
    ['words before the first part', `hello\r\n${part('name="file"; filename="a"', 'x')}${end}`],
    ['words after the last part', `${part('name="file"; filename="a"', 'x')}${end}hello`],
    ['nothing', ''],
  ])('%s: taken whole or refused with a code, never a fault of ours', async (_, body) => {
    const before = await mediaKeys();
    const { status, json } = await post(body);
    if (status === 202) {
      expect(await mediaKeys()).toHaveLength(before.length + 1);
      expect((await t.lectures.read(json.id))?.media.bytes).toBe(1);
    } else {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
      expect(json.error.code).not.toBe('internal');
      expect(await mediaKeys()).toEqual(before);
    }
    expect((await t.listFiles()).filter((file) => file.includes('~tmp'))).toEqual([]);
  });

  test('a body that ends at any of its bytes: is refused with a code, and nothing of it is kept', async () => {
    const whole = part('name="title"', 'A title') + part('name="file"; filename="a.mp3"', 'the sound') + end;
    const before = await t.listFiles();
    const codes = new Set<string>();
    // The last boundary counts from its second dash pair on; what comes after it is of no interest.
    for (let length = 0; length < whole.length - '--\r\n'.length; length++) {
      const { status, json } = await post(whole.slice(0, length));
      expect(status, `${length} bytes`).toBe(400);
      codes.add(json.error.code);
    }
    expect([...codes].sort()).toEqual(['upload_incomplete']);
    expect((await t.listFiles()).sort()).toEqual(before.sort());
  });
});

describe('a client that goes away', () => {
  const head =
    'POST /api/v1/lectures HTTP/1.1\r\nhost: x\r\ncontent-length: 200000\r\n' +
    'content-type: multipart/form-data; boundary=b\r\n\r\n';
  const fileHead = '--b\r\ncontent-disposition: form-data; name="file"; filename="a.mp3"\r\n\r\n';
  const sockets: Socket[] = [];
  afterEach(() => {
    vi.useRealTimers();
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  async function send(text: string): Promise<Socket> {
    const socket = connect(t.port, '127.0.0.1');
    sockets.push(socket);
    await once(socket, 'connect');
    socket.write(text);
    return socket;
  }

  test.each([
    ['in the middle of the file', `${head}${fileHead}${'x'.repeat(100_000)}`],
    ['after the file, in the middle of a field', `${head}${fileHead}sound\r\n--b\r\ncontent-disposition: form-da`],
    ['by half: it ends its side and waits', `${head}${fileHead}${'x'.repeat(1000)}`],
  ])('%s: what had come of the file is removed', async (where, text) => {
    const before = (await t.listFiles()).sort();
    const socket = await send(text);
    await until(async () => (await t.listFiles()).length > before.length, 'the file to have begun');
    if (where.startsWith('by half')) socket.end();
    else socket.destroy();
    await until(async () => (await t.listFiles()).length === before.length, 'the file to be gone');
    expect((await t.listFiles()).sort()).toEqual(before);
  });

  test('before the file: nothing was begun and nothing is kept', async () => {
    const before = (await mediaKeys()).length;
    const socket = await send(`${head}--b\r\ncontent-disposition: form-data; name="title"\r\n\r\nA ti`);
    socket.resetAndDestroy();
    // A later request is answered: the broken one has hurt nobody.
    expect((await t.client.uploadLecture(toFile('sound'))).status).toBe('queued');
    expect(await mediaKeys()).toHaveLength(before + 1);
  });

  test('not, but a field with a mistake and the beginning of the file came in one piece: it is answered at once', async () => {
    const before = await t.listFiles();
    const language = 'content-disposition: form-data; name="language"';
    const socket = await send(`${head}--b\r\n${language}\r\n\r\nKlingon\r\n${fileHead}${'x'.repeat(5000)}`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 400 .*unknown_language/s);
    expect(await t.listFiles()).toEqual(before);
    // A connection on which nothing moves is given up after a minute: that must not be what answers.
  }, 30_000);

  test('never, but sends no more after the file: it is given up after a minute, and the file is removed', async () => {
    const before = await mediaKeys();
    // Those of the sockets are no timers of ours and go on as ever.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const socket = await send(`${head}${fileHead}sound\r\n--b\r\ncontent-disposition: form-da`);
    let answer = '';
    socket.on('data', (data) => {
      answer += data;
    });
    while ((await mediaKeys()).length === before.length) await new Promise((resolve) => setImmediate(resolve));
    while (!answer.includes('}}')) {
      vi.advanceTimersByTime(60_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('did not come within 60 s of the file');
    expect(await mediaKeys()).toEqual(before);
  });
});

test('a lecture whose record cannot be written: 503 with a code, and its media is removed', async () => {
  const broken = await startTestApi({ redisUrl: testRedisUrl() });
  try {
    // No mark of an owner can be made below a file.
    await broken.blobs.put('owners', new Uint8Array(1));
    const refused = broken.client.uploadLecture(toFile('sound'));
    await expect(refused).rejects.toMatchObject({ code: 'storage_unavailable', status: 503 });
    // Its claim on the content expires by itself.
    const left = (await broken.blobs.list('')).filter((key) => !key.startsWith(claimsPrefix));
    expect(left).toEqual(['owners']);
  } finally {
    await broken.close();
  }
});
