import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRandom } from '../bench/lib/mutate.ts';
import { excerpt, makeRecording } from './support/recordings.ts';
import { type RunningSystem, rootDir, startSystem } from './support/running-system.ts';

const maxUploadBytes = 2_000_000;
let system: RunningSystem;
beforeAll(async () => {
  system = await startSystem({ MAX_UPLOAD_BYTES: String(maxUploadBytes), MAX_MEDIA_SECONDS: '300' });
});
afterAll(() => system.close());

/** Uploads, waits for the end, and says what became of it. */
async function study(file: File) {
  const { id } = await system.client.uploadLecture(file);
  for await (const _ of system.client.followLecture(id)) {
    // To its end.
  }
  return system.client.getLecture(id);
}

const cut = async (file: File, share: number) =>
  new File([(await file.arrayBuffer()).slice(0, Math.floor(file.size * share))], file.name);

/** What lies in the folder of uploads, temporary files included. */
const readMedia = async () =>
  (await readdir(path.join(system.dataDir, 'media'), { recursive: true }).catch(() => [])).sort();

async function expectAlive(): Promise<void> {
  expect(system.api().ended()).toBeNull();
  expect(system.worker().ended()).toBeNull();
  expect((await fetch(`${system.workerUrl}/health/ready`)).status).toBe(200);
}

const random = createRandom(1);
const noise = Uint8Array.from({ length: 50_000 }, () => random(256));

describe('a lecture from a bad file', () => {
  const silence = ['-f', 'lavfi', '-i', 'anullsrc=r=8000:cl=mono'];
  const kinds: [what: string, code: string, make: () => Promise<File> | File][] = [
    [
      'a playlist',
      'unsupported_media',
      () => new File(['#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n'], 'a.mp4'),
    ],
    ['an archive', 'not_media', () => new File(['PK\x03\x04', 'x'.repeat(3000)], 'a.mp3')],
    ['random bytes', 'not_media', () => new File([noise], 'a.wav')],
    [
      'a picture',
      'unsupported_media',
      () => makeRecording('a.png', ['-f', 'lavfi', '-i', 'testsrc=s=64x64', '-frames:v', '1']),
    ],
    ['a video without sound', 'no_audio', () => makeRecording('a.mp4', ['-f', 'lavfi', '-i', 'testsrc=s=64x64:d=2'])],
    ['a recording without its index', 'media_damaged', async () => cut(await excerpt('a.m4a', 0, 10), 0.6)],
    ['a recording that is too long', 'media_too_long', () => makeRecording('a.flac', [...silence, '-t', '400'])],
  ];
  test.each(kinds)('that is %s fails with %s, and nothing else fails', async (_, code, make) => {
    const lecture = await study(await make());
    expect(lecture.status).toBe('failed');
    expect(lecture.stages[0]).toMatchObject({ name: 'ingest', status: 'failed', error: { code } });
    await expectAlive();
  });

  test('that was cut is transcribed as far as it goes, and says how far that is', async () => {
    const whole = await excerpt('cut.m4a', 19, 20, ['-movflags', '+faststart']);
    const lecture = await study(await cut(whole, 0.6));
    expect(lecture.status).toBe('ready');
    expect(lecture.warnings).toMatchObject([{ code: 'incomplete_media', declaredSeconds: expect.closeTo(20, 0) }]);
    const decodedSeconds = lecture.warnings[0]?.decodedSeconds ?? 0;
    expect(decodedSeconds).toBeGreaterThan(9);
    expect(decodedSeconds).toBeLessThan(15);
    expect(lecture.durationSeconds).toBeCloseTo(decodedSeconds, 0);
    expect((await system.client.getTranscript(lecture.id)).text).toMatch(/similar process/i);
  });

  test('that is damaged inside keeps its times, and says about how much is lost', async () => {
    const bytes = new Uint8Array(await (await excerpt('hole.ogg', 0, 40, ['-c:a', 'libopus'])).arrayBuffer());
    bytes.fill(0, bytes.length * 0.4, bytes.length * 0.5);
    const lecture = await study(new File([bytes], 'hole.ogg'));
    expect(lecture.status).toBe('ready');
    expect(lecture.warnings).toMatchObject([{ code: 'damaged_media' }]);
    expect(lecture.warnings[0]?.damagedSeconds).toBeGreaterThan(2);
    expect(lecture.durationSeconds).toBeCloseTo(40, 0);
  });

  const collection = path.join(rootDir, '..', 'shared', 'data', 'media');
  test('of the collection of odd recordings ends with what it is: read, cut short, or refused', async (context) => {
    if (!existsSync(collection)) return context.skip('the collection is not beside this checkout');
    const expected: Record<string, string> = {
      'odd/emptyfile.mp3': 'file_empty',
      'odd/image.jpg': 'unsupported_media',
      'odd/nero-chapters.m4b': 'media_damaged',
      'odd/vbri.mp3': 'incomplete_media',
      'odd/no-tags.3g2': 'read',
      'containers/frames.webm': 'no_audio',
      'odd/ps_evil.wav': 'not_media',
    };
    const found: Record<string, string> = {};
    for (const name of Object.keys(expected)) {
      const file = new File([await readFile(path.join(collection, name))], path.basename(name));
      found[name] = await study(file).then(
        ({ stages, warnings }) =>
          stages[0]?.error?.code ??
          (warnings.map(({ code }) => code).filter((code) => code.endsWith('media'))[0] || 'read'),
        (error: { code: string }) => error.code,
      );
    }
    expect(found).toEqual(expected);
    await expectAlive();
  });
});

describe('an upload', () => {
  test('with a strange name is kept under a harmless one, and its sound is the same', async () => {
    const file = await makeRecording('tone.wav', ['-f', 'lavfi', '-i', 'sine=440:d=1', '-ar', '8000']);
    const names: [given: string, title: RegExp][] = [
      ['../../../etc/passwd', /^passwd$/],
      ['..', /^Untitled lecture$/],
      ['a\u0000b.wav', /^ab$/],
      [`"quotes" 'and' $(touch x).wav`, /^"quotes" 'and' \$\(touch x\)$/],
      ['лекция 🎓.wav', /^лекция 🎓$/],
      [`${'n'.repeat(300)}.wav`, /^n{200,300}$/],
      ['-i -f lavfi.wav', /^-i -f lavfi$/],
    ];
    const before = await readMedia();
    for (const [name, title] of names) {
      const lecture = await study(new File([file], name));
      expect(lecture.title, name).toMatch(title);
      expect(lecture.status, name).toBe('ready');
      const media = await fetch(`${system.baseUrl}/api/v1/lectures/${lecture.id}/media`);
      expect((await media.arrayBuffer()).byteLength, name).toBe(file.size);
      await system.client.deleteLecture(lecture.id);
    }
    expect(await readMedia()).toEqual(before);
    await expectAlive();
  });

  test('that is larger than allowed is refused, whether its length is known before or not, and nothing of it stays', async () => {
    const before = await readMedia();
    const bytes = new Uint8Array(maxUploadBytes + 1);
    await expect(system.client.uploadLecture(new File([bytes], 'large.wav'))).rejects.toMatchObject({
      code: 'file_too_large',
    });
    const head = '--b\r\ncontent-disposition: form-data; name="file"; filename="large.wav"\r\n\r\n';
    async function* body() {
      yield Buffer.from(head);
      for (let sent = 0; sent < bytes.length; sent += 250_000) yield bytes.subarray(sent, sent + 250_000);
      yield Buffer.from('\r\n--b--\r\n');
    }
    const response = await fetch(`${system.baseUrl}/api/v1/lectures`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
      body: body() as unknown as BodyInit,
      duplex: 'half',
    } as RequestInit);
    expect(response.status).toBe(413);
    expect(((await response.json()) as { error: { code: string } }).error.code).toBe('file_too_large');
    await expect.poll(readMedia).toEqual(before);
  });

  test('whose client goes in the middle leaves no file and no lecture', async () => {
    const before = await readMedia();
    const { lectures } = await system.client.listLectures({ limit: 100 });
    const { port } = new URL(system.baseUrl);
    const socket = connect(Number(port), '127.0.0.1');
    const head = '--b\r\ncontent-disposition: form-data; name="file"; filename="half.wav"\r\n\r\n';
    socket.write(
      `POST /api/v1/lectures HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: 1000000\r\n\r\n${head}`,
    );
    socket.write(new Uint8Array(400_000));
    // It has begun to be stored.
    await expect
      .poll(async () => (await readdir(system.dataDir, { recursive: true })).some((name) => /tmp|temp/i.test(name)))
      .toBe(true);
    socket.destroy();
    await expect.poll(readMedia).toEqual(before);
    expect((await system.client.listLectures({ limit: 100 })).lectures).toHaveLength(lectures.length);
  });
});
