import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { AppError } from '@studymate/contracts/errors';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeClip } from '../src/decode-clip.ts';
import { detectIsolation, type Isolation } from '../src/isolation.ts';
import { startMediaProcess } from '../src/media-process.ts';
import { probeMedia } from '../src/probe.ts';
import { decodeWhole, ffmpegPath, ffprobePath, makeFolder, makeMedia, noIsolation } from './samples.ts';

let folder: string;
let remove: () => Promise<void>;
let isolation: Isolation;
beforeAll(async () => {
  ({ folder, remove } = await makeFolder());
  isolation = await detectIsolation();
  await makeMedia(join(folder, 'victim.wav'), '-f', 'lavfi', '-i', 'sine=440:d=1');
});
afterAll(() => remove());

/** As good as random, and the same in each run: of really random bytes some few look like a recording. */
const toNoise = (seed: string, outputLength: number): Buffer =>
  createHash('shake256', { outputLength }).update(seed).digest();

const refusals = ['not_media', 'unsupported_media', 'no_audio', 'media_damaged', 'file_empty', 'media_too_long'];

/** Tries a file in every way in which a user's file is read; each must refuse it. */
async function expectRefused(name: string, bytes: Uint8Array | string, with_: Isolation): Promise<string[]> {
  const filePath = join(folder, name);
  await writeFile(filePath, bytes);
  const clip = new Uint8Array(await readFile(filePath));
  const probe = {
    formatName: '',
    durationSeconds: null,
    durationIsEstimate: false,
    hasVideo: false,
    audioStreams: [
      { index: 0, codec: 'x', channels: 1, sampleRate: 1, durationSeconds: null, delaySeconds: 0, isDefault: true },
    ],
  };
  const tries = [
    probeMedia({ ffprobePath, filePath, timeoutMs: 120_000, isolation: with_ }),
    // As if the file had been exchanged after it was probed.
    decodeWhole(filePath, { probe, isolation: with_ }),
    decodeClip({
      ...{
        bytes: clip,
        ffmpegPath,
        maxSeconds: 60,
        timeoutMs: 120_000,
        tempDir: join(folder, 'clips'),
        isolation: with_,
      },
    }),
  ];
  const codes = await Promise.all(
    tries.map((tried) =>
      tried.then(
        () => 'read',
        (thrown) => (thrown instanceof AppError ? thrown.code : String(thrown)),
      ),
    ),
  );
  for (const code of codes) expect(refusals, `${name}: ${codes}`).toContain(code);
  return codes;
}

describe('hostile files', () => {
  it('playlists that point at files and addresses: are refused without a request, also without isolation', async () => {
    let requests = 0;
    const server = createServer((_, response) => {
      requests++;
      response.end('x');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.ts`;
    const victim = join(folder, 'victim.wav');
    const hls = (target: string, end = '#EXT-X-ENDLIST\n') =>
      `#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n${target}\n${end}`;
    const files: Record<string, string> = {
      'hls.mp4': hls(victim),
      'hls-relative.mp3': hls('victim.wav'),
      'hls-http.mp4': hls(url),
      'hls-endless.m4a': hls(victim, ''),
      'hls-concat.wav': hls(`concat:${victim}|${victim}`),
      'concat.mp4': `ffconcat version 1.0\nfile '${victim}'\n`,
      'concat-relative.mp3': 'ffconcat version 1.0\nfile victim.wav\n',
      'concat-http.mp3': `ffconcat version 1.0\nfile ${url}\n`,
      'dash.mp4': `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet><Representation id="1" bandwidth="1"><BaseURL>${url}</BaseURL></Representation></AdaptationSet></Period></MPD>`,
      'stream.sdp': 'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n',
      'list.m3u': `${victim}\n${url}\n`,
      'image.svg': `<svg xmlns="http://www.w3.org/2000/svg"><image href="${url}"/></svg>`,
      'live.mp4': `[playlist]\nFile1=${url}\n`,
      'list.cue': `FILE "${victim}" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n`,
      'smooth.mp4': `<SmoothStreamingMedia><StreamIndex Url="${url}"/></SmoothStreamingMedia>`,
      'reference.mov': `<?xml version="1.0"?><?quicktime type="application/x-quicktime-media-link"?><embed src="${url}"/>`,
      'subtitles.mp4': '1\n00:00:00,000 --> 00:00:01,000\nhello\n',
      'metadata.mp3': ';FFMETADATA1\ntitle=x\n',
    };
    try {
      for (const [name, text] of Object.entries(files)) {
        await expectRefused(name, text, noIsolation);
        await expectRefused(name, text, isolation);
      }
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
    expect(requests).toBe(0);
  });

  it('what is no recording: is refused', async () => {
    const png = await makeMedia(join(folder, 'x.png'), '-f', 'lavfi', '-i', 'testsrc=s=64x64', '-frames:v', '1');
    const files: Record<string, Uint8Array | string> = {
      empty: '',
      'random.mp4': toNoise('mp4', 50_000),
      'random.mp3': toNoise('mp3', 500),
      'page.mp4': '<!doctype html><html><body><script>alert(1)</script></body></html>',
      'archive.mp4': Buffer.concat([Buffer.from('PK\x03\x04'), toNoise('archive', 3000)]),
      'gzip.wav': Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0]), toNoise('gzip', 3000)]),
      'program.mp4': Buffer.concat([Buffer.from('\x7fELF'), toNoise('program', 3000)]),
      'document.m4a': '%PDF-1.7\n1 0 obj\n',
      'picture.mp4': await readFile(png),
      'text.mp3': 'hello '.repeat(1000),
      'zeroes.mp4': new Uint8Array(100_000),
      'riff.wav': 'RIFF\xff\xff\xff\xffWAVE',
      'id3.mp3': Buffer.concat([Buffer.from('ID3\x04\x00\x00\x7f\x7f\x7f\x7f', 'latin1'), new Uint8Array(1000)]),
    };
    for (const [name, bytes] of Object.entries(files)) await expectRefused(name, bytes, isolation);
    expect(await readdir(join(folder, 'clips'))).toEqual([]);
  });
});

describe('isolation', () => {
  it('of the network: a process in it cannot reach a server of this machine', async (context) => {
    if (!isolation.withoutNetwork) return context.skip('network namespaces are not allowed here');
    const server = createServer((_, response) => response.end('reached'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const fetchIt = async (with_: Isolation) => {
      const script = `fetch('${url}').then((r) => r.text()).then(console.log, () => console.log('refused'))`;
      // Node maps more memory than the limit allows, which is not what is tried here.
      const prefix = with_.prefix.filter((part) => !part.startsWith('--as='));
      const started = await startMediaProcess({
        ...{ program: process.execPath, args: ['-e', script], timeoutMs: 120_000, isolation: { ...with_, prefix } },
      });
      let output = '';
      for await (const part of started.stdout) output += part;
      await started.ended;
      return output.trim();
    };
    try {
      expect(await fetchIt(noIsolation)).toBe('reached');
      expect(await fetchIt(isolation)).toBe('refused');
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('of the environment: the process sees none of ours', async () => {
    process.env.STUDYMATE_TEST_SECRET = 'secret';
    try {
      const started = await startMediaProcess({ program: 'env', args: [], timeoutMs: 120_000, isolation });
      let output = '';
      for await (const part of started.stdout) output += part;
      await started.ended;
      expect(output).toContain('PATH=');
      expect(output).not.toContain('secret');
    } finally {
      delete process.env.STUDYMATE_TEST_SECRET;
    }
  });
});
