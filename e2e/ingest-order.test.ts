import type { Lecture } from '@studymate/contracts/lecture';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { excerpt, makeRecording, toUnlike } from './support/recordings.ts';
import { type RunningSystem, startSystem } from './support/running-system.ts';
import { until } from './support/until.ts';

let system: RunningSystem;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.close());

const ingestOf = (lecture: Lecture) => lecture.stages.find(({ name }) => name === 'ingest');

test('a short recording is cut while two of four hours are, and does not wait for their end', async () => {
  const { client } = system;
  const args = ['-f', 'lavfi', '-i', 'anullsrc=r=8000:cl=mono', '-t', '14400', '-c:a', 'flac'];
  const long = await makeRecording('long.flac', args);
  const short = await excerpt('short.mp3', 0, 10);
  const ids: string[] = [];
  for (let i = 0; i < 2; i++) {
    const file = new File([toUnlike(long, i)], `long-${i}.flac`);
    ids.push((await client.uploadLecture(file)).id);
  }
  for (const id of ids) {
    await until(
      'a long recording is being cut',
      async () => (ingestOf(await client.getLecture(id))?.progress ?? 0) > 0,
    );
  }
  const { id } = await client.uploadLecture(short);
  await until('the short one is cut', async () => ingestOf(await client.getLecture(id))?.status === 'done');
  for (const longId of ids) expect(ingestOf(await client.getLecture(longId))?.status).toBe('running');
  for (const each of [...ids, id]) await client.cancelLecture(each);
});
