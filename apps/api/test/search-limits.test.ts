import { createId } from '@studymate/contracts/ids';
import { createLogger } from '@studymate/observability/logger';
import { testRedisUrl } from '@studymate/queue/testing';
import { createConversationStore } from '@studymate/storage/conversation-store';
import { createCourseStore } from '@studymate/storage/course-store';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCourseReader } from '../src/courses/course-reader.ts';
import { createSearch } from '../src/search/create-search.ts';
import type { Services } from '../src/services.ts';
import { embedTexts } from './support/embedding-worker.ts';
import { makeSearchableLecture } from './support/searchable.ts';
import { startTestApi, type TestApi, until } from './support/test-api.ts';

let t: TestApi;
beforeAll(async () => {
  t = await startTestApi({ redisUrl: testRedisUrl() });
});
afterAll(() => t?.close());

describe('searches at once', () => {
  test('those that wait for a worker keep nobody from searching, and a lecture that is not there is not waited for', async () => {
    let asked = 0;
    let answer = () => {};
    const worker = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const courses = createCourseStore(t);
    const services = {
      blobs: t.blobs,
      lectures: t.lectures,
      artifacts: t.artifacts,
      courses,
      conversations: createConversationStore(t),
      events: { onAnyWake: () => () => {} },
      quick: {
        async call({ request }: { request: { texts: string[] } }) {
          asked++;
          await worker;
          return embedTexts(request.texts);
        },
      },
    } as unknown as Services;
    const search = createSearch({
      services,
      courseReader: createCourseReader({ courses }),
      admission: { quick: (_owner, work) => work() },
      maxBytes: Number.POSITIVE_INFINITY,
      model: null,
      logger: createLogger({ name: 'test', level: 'error' }),
    });
    await makeSearchableLecture(t, ['An okapi eats leaves.'], { owner: 'anna' });
    const { signal } = new AbortController();
    const find = () => search.search('anna', { q: 'okapi', mode: 'keyword', limit: 1 }, signal);
    const waiting: Promise<unknown>[] = [];
    for (const group of [1, 2]) {
      for (let i = 0; i < 20; i++) {
        waiting.push(search.ask('anna', { question: `Okapi ${group} ${i}`, limit: 1 }, signal).catch((error) => error));
      }
      await until(async () => asked === group * 20, 'the questions at the worker');
      expect((await find()).results).toHaveLength(1);
    }
    const question = { question: 'Of nothing?', lectureId: createId(), limit: 1 };
    await expect(search.ask('anna', question, signal)).rejects.toMatchObject({ code: 'not_found' });
    expect(asked).toBe(40);
    answer();
    await Promise.all(waiting);
    search.close();
  });
});
