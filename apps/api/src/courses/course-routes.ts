import { createHash } from 'node:crypto';
import {
  type Course,
  type CoursePage,
  type CourseRecord,
  courseFieldsSchema,
  maxCoursesOfOwner,
  maxMembersOfCourse,
  ownerNameSchema,
} from '@studymate/contracts/course';
import { AppError } from '@studymate/contracts/errors';
import { createId } from '@studymate/contracts/ids';
import { listCoursesQuerySchema } from '@studymate/contracts/queries';
import type { Claims } from '@studymate/storage/claims';
import type { CourseStore } from '@studymate/storage/course-store';
import { isOwnerName } from '@studymate/storage/key-store';
import type { LectureStore } from '@studymate/storage/lecture-store';
import { readUnlessDamaged } from '@studymate/storage/read-unless-damaged';
import type { Request, Router } from 'express';
import { z } from 'zod';
import type { Authenticator } from '../auth/authenticate.ts';
import { ownerOf } from '../auth/owner.ts';
import { addRoute } from '../http/add-route.ts';
import { readIdempotencyKey, setReplayed, toKeyMismatch } from '../http/idempotency-key.ts';
import { parseRequest, readJsonBody } from '../http/json-body.ts';
import { checkVersion, sendVersioned } from '../http/versions.ts';
import type { CourseReader } from './course-reader.ts';

const maxBodyBytes = 16_384;
const lecturesAtOnce = 100;

/** /api/v1/courses, /:id, /:id/members/:owner */
export function addCourseRoutes(
  router: Router,
  deps: {
    courses: CourseStore;
    claims: Claims;
    courseReader: CourseReader;
    lectures: Pick<LectureStore, 'listIds' | 'read' | 'update'>;
    auth: Pick<Authenticator, 'mode'>;
  },
): void {
  const { courses, courseReader, lectures } = deps;
  const readFields = (req: Request) => readJsonBody(req, { schema: courseFieldsSchema, maxBytes: maxBodyBytes });
  const idOf = (req: Request) => String(req.params.id);

  /** With its members, for its owner. */
  const toDetails = async (person: string, record: CourseRecord): Promise<Course> => {
    const view = toView(person, record);
    return view.role === 'owner' ? { ...view, members: await courses.listMembers(record.id) } : view;
  };

  addRoute(router, '/api/v1/courses', {
    async get(req, res) {
      const person = ownerOf(res);
      const page = await readPage(courses, courseReader, person, parseRequest(listCoursesQuerySchema, req.query));
      res.json(page);
    },
    async post(req, res) {
      const person = ownerOf(res);
      const { title } = await readFields(req);
      const key = readIdempotencyKey(req);
      // What was made under the key is there already, and no further one.
      if (key === undefined || !(await deps.claims.find(person, `key ${key}`))) {
        const known = await courses.listIds(person, { limit: maxCoursesOfOwner, relation: 'owned' });
        if (known.length >= maxCoursesOfOwner) throw full(`You have ${maxCoursesOfOwner} courses already.`);
      }
      const record: CourseRecord = {
        schemaVersion: 1,
        id: createId(),
        version: 1,
        owner: person,
        title,
        createdAt: new Date().toISOString(),
      };
      const { course, isNew } = await createOnce(deps, record, key);
      if (!isNew) setReplayed(res);
      res.status(201).location(`/api/v1/courses/${course.id}`);
      sendVersioned(res, await toDetails(person, course));
    },
  });

  addRoute(router, '/api/v1/courses/:id', {
    async get(req, res) {
      const person = ownerOf(res);
      sendVersioned(res, await toDetails(person, await courseReader.read(person, idOf(req))));
    },
    async patch(req, res) {
      const person = ownerOf(res);
      const { id } = await courseReader.readOwn(person, idOf(req));
      const { title } = await readFields(req);
      const changed = await courses.update(id, (current) => {
        checkVersion(req.headers['if-match'], current.version);
        return { ...current, title };
      });
      if (!changed) throw noSuchCourse();
      sendVersioned(res, await toDetails(person, changed));
    },
    async delete(req, res) {
      const person = ownerOf(res);
      const { id } = await courseReader.readOwn(person, idOf(req)).catch(async (error: unknown) => {
        // A deletion that a dead process left half-way reads as gone; asking again does the rest of it.
        await courses.finishDeletion(idOf(req));
        throw error;
      });
      await takeLecturesOut(lectures, person, id);
      await courses.delete(id);
      res.status(204).end();
    },
  });

  const parseMember = (req: Request): string => {
    const { owner } = parseRequest(z.object({ owner: ownerNameSchema }), { owner: req.params.owner });
    if (deps.auth.mode === 'keys' && !isOwnerName(owner)) {
      throw new AppError('invalid_request', 'owner: is not a name that a key can have');
    }
    return owner;
  };

  addRoute(router, '/api/v1/courses/:id/members/:owner', {
    async put(req, res) {
      const person = ownerOf(res);
      const course = await courseReader.readOwn(person, idOf(req));
      const member = parseMember(req);
      if (member === person) throw new AppError('invalid_request', 'owner: is the owner of the course already');
      const members = await courses.listMembers(course.id);
      if (members.length >= maxMembersOfCourse && !members.includes(member)) {
        throw full(`The course has ${maxMembersOfCourse} members already.`);
      }
      if (!(await courses.addMember(course.id, member))) throw noSuchCourse();
      sendVersioned(res, await toDetails(person, course));
    },
    async delete(req, res) {
      const person = ownerOf(res);
      // Who leaves a course needs nobody's leave.
      const isSelf = req.params.owner === person;
      const course = await (isSelf ? courseReader.read : courseReader.readOwn)(person, idOf(req));
      await courses.removeMember(course.id, parseMember(req));
      res.status(204).end();
    },
  });
}

/** @throws AppError `idempotency_mismatch`; `not_found` when the key's course was deleted */
async function createOnce(
  { courses, claims }: { courses: CourseStore; claims: Claims },
  record: CourseRecord,
  key: string | undefined,
): Promise<{ course: CourseRecord; isNew: boolean }> {
  if (key === undefined) {
    await courses.create(record);
    return { course: record, isNew: true };
  }
  const fingerprint = `course ${createHash('sha256').update(record.title).digest('hex')}`;
  const claim = await claims.claim(record.owner, `key ${key}`, { id: record.id, fingerprint });
  if (claim.fingerprint !== fingerprint) throw toKeyMismatch();
  const course = { ...record, id: claim.id };
  if (await courses.create(course)) return { course, isNew: true };
  const known = await courses.read(claim.id);
  if (!known) throw new AppError('not_found', 'The course that was made under this Idempotency-Key was deleted.');
  return { course: known, isNew: false };
}

function toView(person: string, { id, title, owner, createdAt, version }: CourseRecord): Course {
  return { id, title, owner, role: owner === person ? 'owner' : 'member', createdAt, version };
}

async function readPage(
  courses: CourseStore,
  reader: CourseReader,
  person: string,
  query: z.output<typeof listCoursesQuerySchema>,
): Promise<CoursePage> {
  const found: Course[] = [];
  let after = query.cursor;
  for (;;) {
    const wanted = query.limit - found.length;
    const ids = await courses.listIds(person, { ...(after && { after }), limit: wanted });
    for (const id of ids) {
      const record = await readUnlessDamaged({ read: (courseId) => reader.find(person, courseId) }, id);
      if (record) found.push(toView(person, record));
      // What was left of one that is gone.
      else if (record === null) await courses.finishDeletion(id);
    }
    if (ids.length < wanted) return { courses: found, nextCursor: null };
    after = ids.at(-1);
    if (found.length === query.limit) return { courses: found, nextCursor: after ?? null };
  }
}

/** The lectures of a course that is deleted stay with their owner, in no course. */
async function takeLecturesOut(
  lectures: Pick<LectureStore, 'listIds' | 'read' | 'update'>,
  owner: string,
  courseId: string,
): Promise<void> {
  let after: string | undefined;
  for (;;) {
    const ids = await lectures.listIds(owner, { ...(after && { after }), limit: lecturesAtOnce });
    for (const id of ids) {
      const record = await readUnlessDamaged(lectures, id);
      if (record?.courseId !== courseId) continue;
      await lectures.update(id, (current) =>
        current.courseId === courseId ? { ...current, courseId: null } : current,
      );
    }
    if (ids.length < lecturesAtOnce) return;
    after = ids.at(-1);
  }
}

function noSuchCourse(): AppError {
  return new AppError('not_found', 'There is no such course.');
}

function full(message: string): AppError {
  return new AppError('limit_reached', message);
}
