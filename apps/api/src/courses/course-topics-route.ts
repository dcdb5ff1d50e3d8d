import type { KeptCourseTopics } from '@studymate/contracts/artifacts';
import { type CourseTopics, courseTopicsQuerySchema } from '@studymate/contracts/course-topics';
import { AppError } from '@studymate/contracts/errors';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import { createCourseTopicsStore, toTopicSource, toTopicsInputHash } from '@studymate/storage/course-topics-store';
import { toCourseTopics } from '@studymate/study/topic-merging';
import type { Router } from 'express';
import type { Admission } from '../admission.ts';
import { ownerOf } from '../auth/owner.ts';
import { addRoute } from '../http/add-route.ts';
import { callerGone } from '../http/caller-gone.ts';
import { parseRequest } from '../http/json-body.ts';
import type { Services } from '../services.ts';
import type { CourseLectures } from './course-lectures.ts';
import type { CourseReader } from './course-reader.ts';

const timeoutMs = 120_000;
const maxTries = 3;

/** GET /api/v1/courses/:id/topics: kept ones as long as its lectures are the same, else a worker finds them anew. */
export function addCourseTopicsRoute(
  router: Router,
  deps: { services: Services; courseReader: CourseReader; courseLectures: CourseLectures; admission: Admission },
): void {
  const { services, admission } = deps;
  const store = createCourseTopicsStore(services);

  /** Whether any lecture has an index: without one there is nothing for a worker to do. */
  const hasAnyIndex = async (sources: readonly string[]): Promise<boolean> => {
    for (const source of sources) if (await services.blobs.stat(source)) return true;
    return false;
  };

  addRoute(router, '/api/v1/courses/:id/topics', {
    async get(req, res) {
      const { topicCount } = parseRequest(courseTopicsQuerySchema, req.query);
      const person = ownerOf(res);
      const course = await deps.courseReader.read(person, String(req.params.id));
      const listLectures = async () =>
        store.listLectures(course, await deps.courseLectures.listIds(course.owner, course.id));
      let records = await listLectures();
      let newest = await store.read(course.id);
      // Lectures may come and go while a worker is at it.
      for (let tries = 1; tries <= maxTries; tries++) {
        const sources = records.flatMap((record) => toTopicSource(record) ?? []);
        const inputHash = toTopicsInputHash(sources);
        if (newest?.kept.inputHash === inputHash) break;
        if (!(await hasAnyIndex(sources))) {
          res.json({ topics: [], lectures: [], missing: records.length } satisfies CourseTopics);
          return;
        }
        const signal = callerGone(res);
        const job = { kind: 'courseTopics', courseId: course.id } as const;
        // Who asks again, or at the same time, waits for the same work.
        const sharedId = `course-topics-${course.id}-${newest?.version ?? 0}-${inputHash}`;
        await admission.quick(person, () => services.quick.call(job, { timeoutMs, signal, sharedId }));
        records = await listLectures();
        newest = await store.read(course.id);
      }
      if (!newest) throw new AppError('internal', 'The topics of the course were made, and are not there.');
      res.json(toAnswer(newest.kept, records, topicCount));
    },
  });
}

/** Only what is of lectures that are in the course now. */
function toAnswer(kept: KeptCourseTopics, records: readonly LectureRecord[], topicCount?: number): CourseTopics {
  const known = new Set(kept.lectures.map(({ lectureId }) => lectureId));
  const lectures = records
    .filter(({ id }) => known.has(id))
    .map(({ id, title, createdAt }) => ({ id, title, createdAt }));
  return { ...toCourseTopics(kept, lectures, topicCount), lectures, missing: records.length - lectures.length };
}
