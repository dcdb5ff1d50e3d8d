import { AppError } from '@studymate/contracts/errors';
import { idSchema } from '@studymate/contracts/ids';
import { changeLectureSchema, type LecturePage } from '@studymate/contracts/lecture';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import { listLecturesQuerySchema } from '@studymate/contracts/queries';
import { retryableSchema } from '@studymate/contracts/stages';
import type { Logger } from '@studymate/observability/logger';
import { announceCancel } from '@studymate/queue/cancel';
import { withRedis } from '@studymate/queue/redis';
import { toRetriedRecord } from '@studymate/queue/retry';
import { ownerMarkKey } from '@studymate/storage/lecture-keys';
import { readUnlessDamaged } from '@studymate/storage/read-unless-damaged';
import type { Router } from 'express';
import type { z } from 'zod';
import type { Admission } from '../admission.ts';
import { ownerOf } from '../auth/owner.ts';
import type { CourseLectures } from '../courses/course-lectures.ts';
import type { CourseReader } from '../courses/course-reader.ts';
import { addRoute, type Handler } from '../http/add-route.ts';
import { parseRequest, readJsonBody } from '../http/json-body.ts';
import { checkVersion, sendVersioned } from '../http/versions.ts';
import type { Services } from '../services.ts';
import type { LectureChanger } from './change-lecture.ts';
import { toTitle } from './file-names.ts';
import { hasEnded, type LectureReader } from './lecture-reader.ts';
import type { Submitter } from './submit.ts';

/** So many lectures are looked at for one page; the cursor goes on from there. */
const maxScanned = 1_000;
const maxChangeBytes = 16_384;

/** /api/v1/lectures, /:id, /:id/cancel, /:id/stages/:stage/retry */
export function addLectureRoutes(
  router: Router,
  deps: {
    services: Services;
    reader: LectureReader;
    courseReader: CourseReader;
    courseLectures: CourseLectures;
    changer: LectureChanger;
    submitter: Submitter;
    admission: Admission;
    upload: Handler;
    logger: Logger;
  },
): void {
  const { services, reader, courseReader, courseLectures, submitter } = deps;
  const { change, cancel, tell } = deps.changer;
  const { active, advancer, lectures, live, redis, keys, publisher } = services;

  /** Lectures whose record cannot be read, and of which that has been said. */
  const unreadable = new Set<string>();
  const read = (id: string) =>
    readUnlessDamaged(lectures, id, (error) => {
      if (!unreadable.has(id)) deps.logger.warn({ err: error, lectureId: id }, "left out of its owner's list");
      unreadable.add(id);
    });

  addRoute(router, '/api/v1/lectures', {
    post: deps.upload,
    async get(req, res) {
      const query = parseRequest(listLecturesQuerySchema, req.query);
      // The lectures of a shared course are its owner's.
      const course = query.courseId && (await courseReader.find(ownerOf(res), query.courseId));
      const owner = course ? course.owner : ownerOf(res);
      const inCourse = query.courseId && (await courseLectures.listIds(owner, query.courseId));
      const listIds: ListIds = async (options) =>
        inCourse
          ? inCourse.filter((id) => options.after === undefined || id < options.after).slice(0, options.limit)
          : lectures.listIds(owner, options);
      const { records, nextCursor } = await readPage({ listIds, read }, owner, query);
      const page: LecturePage = { lectures: await Promise.all(records.map(reader.toView)), nextCursor };
      res.json(page);
    },
  });

  addRoute(router, '/api/v1/lectures/:id', {
    async get(req, res) {
      sendVersioned(res, await reader.toView(await reader.readRecord(ownerOf(res), req.params.id)));
    },
    async patch(req, res) {
      const before = await reader.readOwn(ownerOf(res), req.params.id);
      const { title, courseId } = await readJsonBody(req, { schema: changeLectureSchema, maxBytes: maxChangeBytes });
      await courseReader.checkOwn(ownerOf(res), courseId);
      const toChanged = (current: LectureRecord): LectureRecord => {
        // Looked at again each time that another writer was quicker.
        checkVersion(req.headers['if-match'], current.version);
        return {
          ...current,
          ...(title !== undefined && { title: toTitle(title, '') }),
          ...(courseId !== undefined && { courseId }),
        };
      };
      const { view } = await change(before, async () => toChanged);
      if (courseId !== undefined) await courseLectures.noteMove(before.owner);
      const changes = { title: view.title, courseId: view.courseId, version: view.version };
      await tell(view.id, () => publisher.publish(view.id, { type: 'lecture', changes }));
      sendVersioned(res, view);
    },
    async delete(req, res) {
      const known = idSchema.safeParse(req.params.id);
      if (!known.success) throw noSuchLecture();
      const id = known.data;
      const record = await readUnlessDamaged(lectures, id);
      // A deletion that a dead process left half-way reads as gone; asking again does the rest of it.
      if (record === null) await lectures.delete(id);
      // Nobody can read it, yet its owner can be rid of it: the mark by which it is listed tells whose it is.
      const isOwners =
        record === undefined
          ? (await services.blobs.stat(ownerMarkKey(ownerOf(res), id))) !== null
          : record?.owner === ownerOf(res);
      if (!isOwners) {
        if (record) await reader.readOwn(ownerOf(res), id);
        throw noSuchLecture();
      }
      await tell(id, async () => {
        await announceCancel(redis, keys, id);
        if (record) await advancer.withdraw(record);
      });
      await lectures.delete(id);
      await tell(id, async () => {
        await live.delete(id);
        await active.remove(id);
        // Whoever follows it looks, and finds that it is gone.
        await redis.publish(keys.wake, id);
      });
      res.status(204).end();
    },
  });

  addRoute(router, '/api/v1/lectures/:id/cancel', {
    async post(req, res) {
      const view = await cancel(await reader.readOwn(ownerOf(res), req.params.id));
      res.status(202).json(view);
    },
  });

  addRoute(router, '/api/v1/lectures/:id/stages/:stage/retry', {
    async post(req, res) {
      const before = await reader.readOwn(ownerOf(res), req.params.id);
      const { id } = before;
      const stage = retryableSchema.safeParse(req.params.stage);
      if (!stage.success) throw new AppError('not_found', 'There is no such stage.');
      // Refused while Redis is away, before anything is dropped.
      await withRedis(() => redis.ping());
      // It is work like a new lecture's, so it is admitted like one.
      const view = await deps.admission.lecture(ownerOf(res), async () => {
        const changed = await change(before, async (current) => {
          if (current.cancelledAt === null && !hasEnded(await reader.toView(current))) {
            throw new AppError('not_ready', 'The lecture is still being worked on; wait until it has ended.', {
              details: { retryAfterSeconds: 5 },
            });
          }
          return (current) => toRetriedRecord(current, stage.data);
        });
        await submitter.submit(changed.record);
        return changed.view;
      });
      await tell(id, () => publisher.publish(id, { type: 'lecture', changes: view }));
      res.status(202).json(view);
    },
  });
}

function noSuchLecture(): AppError {
  return new AppError('not_found', 'There is no such lecture.');
}

type ListIds = (options: { after?: string; limit: number }) => Promise<string[]>;

/** Ids whose record cannot be read are passed over: one damaged lecture must not hide all the others. */
async function readPage(
  lectures: { listIds: ListIds; read(id: string): Promise<LectureRecord | null | undefined> },
  owner: string,
  query: z.output<typeof listLecturesQuerySchema>,
): Promise<{ records: LectureRecord[]; nextCursor: string | null }> {
  const records: LectureRecord[] = [];
  let after = query.cursor;
  for (let scanned = 0; scanned < maxScanned; ) {
    const wanted = query.limit - records.length;
    const ids = await lectures.listIds({ ...(after && { after }), limit: wanted });
    for (const found of await Promise.all(ids.map((id) => lectures.read(id)))) {
      if (found?.owner !== owner || found.transientUntil !== undefined) continue;
      if (query.courseId && found.courseId !== query.courseId) continue;
      records.push(found);
      if (records.length === query.limit) return { records, nextCursor: found.id };
    }
    if (ids.length < wanted) return { records, nextCursor: null };
    after = ids.at(-1);
    scanned += ids.length;
  }
  return { records, nextCursor: after ?? null };
}
