import { createHash } from 'node:crypto';
import type { Lecture } from '@studymate/contracts/lecture';
import { Upload } from 'tus-js-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { excerpt, toUnlike } from './support/recordings.ts';
import { type RunningSystem, startSystem } from './support/running-system.ts';
import { until } from './support/until.ts';

/** tus-js-client as it comes, and the client that has it inside, against the built API. */
let system: RunningSystem;
let recording: File;
beforeAll(async () => {
  system = await startSystem();
  recording = await excerpt('printing.mp3', 0, 40);
});
afterAll(() => system?.close());

const retryDelays = [0, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000];

async function killApi(): Promise<void> {
  system.api().kill();
  await system.api().exited;
}

async function mediaHash(lectureId: string): Promise<string> {
  const media = await fetch(system.client.mediaUrl(lectureId));
  return createHash('sha256')
    .update(Buffer.from(await media.arrayBuffer()))
    .digest('hex');
}

async function hashOf(blob: Blob): Promise<string> {
  return createHash('sha256')
    .update(Buffer.from(await blob.arrayBuffer()))
    .digest('hex');
}

async function makeLecture(uploadUrl: string): Promise<Lecture> {
  const response = await fetch(`${system.baseUrl}/api/v1/lectures`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ uploadId: uploadUrl.split('/').pop() }),
  });
  expect(response.status).toBe(202);
  return (await response.json()) as Lecture;
}

describe('tus-js-client', () => {
  test('whose API is killed in the middle of a part and started again: goes on, and the lecture gets its text', async () => {
    const bytes = Buffer.from(await recording.arrayBuffer());
    let restarted: Promise<unknown> | undefined;
    const offsets: number[] = [];
    const upload = await new Promise<Upload>((resolve, reject) => {
      const sending = new Upload(bytes, {
        endpoint: `${system.baseUrl}/api/v1/uploads`,
        metadata: { filename: 'week 1.mp3', filetype: 'audio/mpeg' },
        chunkSize: Math.ceil(bytes.length / 5),
        retryDelays,
        onChunkComplete: (_size, accepted) => offsets.push(accepted),
        onProgress(sent) {
          if (sent > bytes.length / 2) restarted ??= killApi().then(() => system.startApi());
        },
        onSuccess: () => resolve(sending),
        onError: reject,
      });
      sending.start();
    });
    expect(restarted).toBeDefined();
    await restarted;
    expect(offsets.at(-1)).toBe(bytes.length);
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
    const lecture = await makeLecture(String(upload.url));
    expect(lecture.title).toBe('week 1');
    for await (const event of system.client.followLecture(lecture.id)) if (event.type === 'end') break;
    expect((await system.client.getLecture(lecture.id)).status).toBe('ready');
    expect((await system.client.getTranscript(lecture.id)).text.length).toBeGreaterThan(100);
    expect(await mediaHash(lecture.id)).toBe(await hashOf(recording));
  });

  test('twice with the same upload at once: both come to the end, and the bytes are right', async () => {
    const file = toUnlike(recording, 1);
    const bytes = Buffer.from(await file.arrayBuffer());
    const options = { endpoint: `${system.baseUrl}/api/v1/uploads`, chunkSize: 50_000, retryDelays };
    const begun = await new Promise<Upload>((resolve, reject) => {
      const first = new Upload(bytes, {
        ...options,
        onChunkComplete() {
          first.abort().then(() => resolve(first), reject);
        },
        onError: reject,
      });
      first.start();
    });
    const goOn = () =>
      new Promise<void>((resolve, reject) => {
        const uploadUrl = String(begun.url);
        new Upload(bytes, { ...options, uploadUrl, onSuccess: () => resolve(), onError: reject }).start();
      });
    await Promise.all([goOn(), goOn()]);
    const lecture = await makeLecture(String(begun.url));
    expect(await mediaHash(lecture.id)).toBe(await hashOf(file));
    await system.client.deleteLecture(lecture.id);
  });
});

describe('startUpload of the client', () => {
  test('paused, gone on with by another process, and with a glossary: gives the lecture', async () => {
    const file = toUnlike(recording, 2);
    let uploadId = '';
    const first = system.client.startUpload(
      file,
      {},
      {
        partBytes: 40_000,
        onUploadId(id) {
          uploadId = id;
        },
        onProgress(sent) {
          if (sent >= 80_000) void first.pause();
        },
      },
    );
    // Of an upload that fails there is nothing to wait for.
    const failed = first.lecture.then(() => Promise.reject(new Error('it was not paused')));
    failed.catch(() => {});
    const headers = { 'tus-resumable': '1.0.0' };
    const hasBegun = until('the first part', async () => {
      if (uploadId === '') return false;
      const head = await fetch(`${system.baseUrl}/api/v1/uploads/${uploadId}`, { method: 'HEAD', headers });
      return Number(head.headers.get('upload-offset')) >= 40_000;
    });
    await Promise.race([hasBegun, failed]);
    await first.pause();
    const sent: number[] = [];
    const second = system.client.startUpload(
      file,
      { title: 'Resumed', glossary: ['Caxton'] },
      { uploadId, partBytes: 100_000, onProgress: (bytes) => sent.push(bytes) },
    );
    const lecture = await second.lecture;
    expect(lecture).toMatchObject({ title: 'Resumed', glossary: ['Caxton'] });
    expect(Math.min(...sent)).toBeGreaterThanOrEqual(40_000);
    expect(await mediaHash(lecture.id)).toBe(await hashOf(file));
    await system.client.deleteLecture(lecture.id);
  });

  test('cancelled: rejects with an AbortError, and nothing is left of it', async () => {
    let uploadId = '';
    const begun = new Promise<void>((resolve, reject) => {
      const upload = system.client.startUpload(
        toUnlike(recording, 3),
        {},
        {
          partBytes: 40_000,
          onUploadId(id) {
            uploadId = id;
            resolve(upload.cancel().then(() => expect(upload.lecture).rejects.toMatchObject({ name: 'AbortError' })));
          },
        },
      );
      upload.lecture.catch((error) => uploadId === '' && reject(error));
    });
    await begun;
    const head = await fetch(`${system.baseUrl}/api/v1/uploads/${uploadId}`, {
      method: 'HEAD',
      headers: { 'tus-resumable': '1.0.0' },
    });
    expect(head.status).toBe(404);
  });

  test('of a file that is refused: rejects with the code', async () => {
    const empty = system.client.startUpload(new File([], 'empty.mp3'));
    await expect(empty.lecture).rejects.toMatchObject({ code: 'file_empty', status: 400 });
    const unknown = system.client.startUpload(toUnlike(recording, 4), { language: 'Klingon' });
    await expect(unknown.lecture).rejects.toMatchObject({ code: 'unknown_language' });
  });
});
