import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { listFiles, toExpectedFiles } from '../faults/checks.ts';
import { followLecture } from '../faults/followed-lecture.ts';
import { excerpt } from '../support/recordings.ts';
import { startSystem } from '../support/running-system.ts';
import { startCluster, startSentinels } from './support/redis-servers.ts';

// Side by side: most of it is waiting.
test.concurrent.for([
  ['sentinels', startSentinels],
  ['a cluster', startCluster],
] as const)(
  'Redis by %s, whose primary is killed while a lecture is made and another is sent: both become ready, each artifact once',
  async ([_, startServers]) => {
    const dir = await mkdtemp(path.join(tmpdir(), 'studymate-failover-'));
    const closers: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })];
    try {
      const servers = await startServers(dir);
      closers.push(() => servers.close());
      const system = await startSystem(servers.env);
      closers.push(() => system.close());

      const { id } = await system.client.uploadLecture(await excerpt('made.mp3', 0, 60));
      const followed = followLecture(system.client, id);
      closers.push(() => followed.close());
      await followed.untilText();

      const file = await excerpt('sent.mp3', 100, 20);
      let killed: Promise<void> | undefined;
      const sent = await system.client.startUpload(
        file,
        {},
        {
          partBytes: 30_000,
          retryDelaysMs: [0, 500, 1_000, 1_000, 2_000, 2_000, 3_000, 5_000, 5_000, 10_000, 10_000],
          onProgress(bytes) {
            if (bytes > file.size / 3) killed ??= servers.killPrimary();
          },
        },
      ).lecture;
      await killed;
      expect(killed).toBeDefined();

      const other = followLecture(system.client, sent.id);
      closers.push(() => other.close());
      for (const each of [followed, other]) {
        await each.untilEnd(180_000);
        expect((await system.client.getLecture(each.id)).status).toBe('ready');
        expect(each.segments).toEqual((await system.client.getTranscript(each.id)).segments);
        const files = await listFiles(path.join(system.dataDir, 'lectures', each.id));
        for (const [pattern, count] of toExpectedFiles(files)) {
          expect([pattern, files.filter((name) => pattern.test(name)).length]).toEqual([pattern, count]);
        }
      }
      // Short requests, too, find the new one.
      const { topics } = await system.client.topics({ documents: ['Boil the pasta.', 'A comet orbits the sun.'] });
      expect(topics.length).toBeGreaterThan(0);
    } finally {
      for (const closer of closers.reverse()) await closer();
    }
  },
);
