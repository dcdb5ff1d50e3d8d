import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { promisify } from 'node:util';
import { deletionVersion, lecturePrefix, recordKey } from '@studymate/storage/lecture-keys';
import { openStore } from '@studymate/storage/open-store';
import { createS3Client } from '@studymate/storage/s3-client';
import { createS3Multipart } from '@studymate/storage/s3-multipart';
import { createS3Objects } from '@studymate/storage/s3-objects';
import { Upload } from 'tus-js-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listFiles, toExpectedFiles } from '../faults/checks.ts';
import { followLecture } from '../faults/followed-lecture.ts';
import { excerpt } from '../support/recordings.ts';
import { type RunningSystem, rootDir, startSystem } from '../support/running-system.ts';
import { type S3Server, startS3Server } from './support/s3-server.ts';

const run = promisify(execFile);
const started = await startS3Server();

describe.skipIf(started instanceof Error)(
  `the whole on S3 (skipped where its server cannot be had: ${started})`,
  () => {
    const server = started as S3Server;
    let system: RunningSystem;
    beforeAll(async () => {
      system = await startSystem(server.env);
    });
    afterAll(async () => {
      await system?.close();
      await server.close();
    });

    const withBlobs = async <T>(work: (blobs: Awaited<ReturnType<typeof openStore>>['blobs']) => Promise<T>) => {
      const limits = { maxUploadBytes: 2 ** 32 };
      const { blobs } = await openStore({ dataDir: system.dataDir, s3: server.options, limits });
      try {
        return await work(blobs);
      } finally {
        await blobs.close();
      }
    };

    test('a lecture whose worker is killed in the middle: every artifact once, its sound in ranges, no local file left', async () => {
      const file = await excerpt('printing.mp3', 0, 60);
      const { id } = await system.client.uploadLecture(file);
      const followed = followLecture(system.client, id);
      await followed.untilText();
      system.worker().signal('SIGKILL');
      await system.worker().exited;
      await system.startWorker();
      await followed.untilEnd(180_000);
      expect((await system.client.getLecture(id)).status).toBe('ready');
      expect(followed.mistakes).toEqual([]);
      expect(followed.segments).toEqual((await system.client.getTranscript(id)).segments);
      expect((await system.client.search({ q: 'movable letters', lectureId: id })).results.length).toBeGreaterThan(0);

      const prefix = lecturePrefix(id);
      const keys = await withBlobs((blobs) => blobs.list(prefix));
      const artifacts = keys.map((key) => key.slice(prefix.length)).filter((name) => !name.startsWith('records/'));
      const due = toExpectedFiles(artifacts);
      for (const [pattern, count] of due) {
        expect([pattern, artifacts.filter((name) => pattern.test(name)).length]).toEqual([pattern, count]);
      }
      expect(artifacts.filter((name) => !due.some(([pattern]) => pattern.test(name)))).toEqual([]);

      const bytes = Buffer.from(await file.arrayBuffer());
      const part = await fetch(system.client.mediaUrl(id), { headers: { range: 'bytes=1000-1999' } });
      expect(part.status).toBe(206);
      expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(1000, 2000))).toBe(true);

      // The dead worker's copy went when the next one made its own.
      expect(await listFiles(path.join(system.dataDir, 'tmp'))).toEqual([]);
      await system.client.deleteLecture(id);
      await withBlobs(async (blobs) => {
        expect(await blobs.list(prefix)).toEqual([recordKey(id, deletionVersion)]);
        expect(await blobs.list('media/')).toEqual([]);
      });
    });

    test('a resumable upload whose API is killed in the middle: goes on, and is the recording', async () => {
      const file = await excerpt('printing.wav', 0, 75, ['-ar', '48000', '-ac', '2']);
      const bytes = Buffer.from(await file.arrayBuffer());
      expect(bytes.length).toBeGreaterThan(13_000_000);
      let restarted: Promise<unknown> | undefined;
      const offsets: number[] = [];
      const upload = await new Promise<Upload>((resolve, reject) => {
        const sending = new Upload(bytes, {
          endpoint: `${system.baseUrl}/api/v1/uploads`,
          metadata: { filename: 'printing.wav' },
          chunkSize: 4_000_000,
          retryDelays: [0, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000],
          onChunkComplete: (_size, accepted) => offsets.push(accepted),
          onProgress(sent) {
            if (sent < 9_000_000) return;
            restarted ??= (async () => {
              system.api().signal('SIGKILL');
              await system.api().exited;
              await system.startApi();
            })();
          },
          onSuccess: () => resolve(sending),
          onError: reject,
        });
        sending.start();
      });
      await restarted;
      expect(offsets.at(-1)).toBe(bytes.length);
      const response = await fetch(`${system.baseUrl}/api/v1/lectures`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ uploadId: String(upload.url).split('/').pop() }),
      });
      expect(response.status).toBe(202);
      const { id } = await response.json();
      const media = Buffer.from(await (await fetch(system.client.mediaUrl(id))).arrayBuffer());
      expect(createHash('sha256').update(media).digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
      await system.client.deleteLecture(id);

      const client = createS3Client(server.options);
      const left: string[] = [];
      for await (const { key } of createS3Objects(client).list('~uploads/')) left.push(key);
      for await (const { key } of createS3Multipart(client).listUploads()) left.push(key);
      client.close();
      expect(left).toEqual([]);
    });

    test.for(['api', 'worker'])('%s with a secret that is refused: one line that says so, status 1', async (app) => {
      const main = path.join(rootDir, 'apps', app, 'dist/main.js');
      const ports = { PORT: '0', INTERNAL_PORT: '0', WORKER_INTERNAL_PORT: '0' };
      const { PATH } = process.env;
      const env = { PATH, DATA_DIR: system.dataDir, REDIS_URL: system.redisUrl, ...ports, ...server.env };
      const failed = run(process.execPath, [main], { env: { ...env, S3_SECRET_ACCESS_KEY: 'wrong' } });
      await expect(failed).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^.*SignatureDoesNotMatch.*\n$/),
      });
    });

    test('doctor: says that the bucket can be used', async () => {
      const main = path.join(rootDir, 'apps/cli/dist/main.js');
      const { PATH } = process.env;
      const env = { PATH, DATA_DIR: system.dataDir, REDIS_URL: system.redisUrl, ...server.env };
      const { stdout } = await run(process.execPath, [main, 'doctor', '--json'], { env }).catch((error) => error);
      const { findings } = JSON.parse(stdout);
      const store = findings.filter(({ name }: { name: string }) => name === 'store');
      const room = { message: expect.stringContaining('are free') };
      expect(store).toMatchObject([{ state: 'ok', message: expect.stringContaining('honours conditions') }, room]);
    });
  },
);
