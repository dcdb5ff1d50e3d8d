import type { CourseRecord } from '@studymate/contracts/course';
import { AppError } from '@studymate/contracts/errors';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import type { CourseStore } from '@studymate/storage/course-store';
import { hideDamage } from '@studymate/storage/hide-damage';

export interface CourseReader {
  /** A course that the person owns or is a member of; null for all others. */
  find(person: string, courseId: string): Promise<CourseRecord | null>;
  /** @throws AppError `not_found`, also for courses of others */
  read(person: string, courseId: string): Promise<CourseRecord>;
  /** @throws AppError `not_found`; `forbidden` for a member */
  readOwn(person: string, courseId: string): Promise<CourseRecord>;
  /** Whether somebody else's lecture may be read because it is in a course shared with the person. */
  isShared(person: string, lecture: Pick<LectureRecord, 'owner' | 'courseId' | 'transientUntil'>): Promise<boolean>;
  /** @throws AppError `unknown_course` when the course is not one that the person owns; null is none */
  checkOwn(person: string, courseId: string | null | undefined): Promise<void>;
}

/** Each answer costs a few small reads, however many courses, members and lectures there are. */
export function createCourseReader(deps: {
  courses: Pick<CourseStore, 'read' | 'isMember' | 'listIds'>;
}): CourseReader {
  const { courses } = deps;

  /** Each who owns or reads a damaged one has it in a list; to others it is none. */
  const readKnown = (person: string, courseId: string): Promise<CourseRecord | null> =>
    hideDamage(courses.read(courseId), async () =>
      (await courses.listIds(person, { limit: Number.POSITIVE_INFINITY })).includes(courseId),
    );

  const find: CourseReader['find'] = async (person, courseId) => {
    const record = await readKnown(person, courseId);
    if (!record) return null;
    return record.owner === person || (await courses.isMember(courseId, person)) ? record : null;
  };
  const read: CourseReader['read'] = async (person, courseId) => {
    const record = await find(person, courseId);
    if (!record) throw new AppError('not_found', 'There is no such course.');
    return record;
  };

  return {
    find,
    read,
    async readOwn(person, courseId) {
      const record = await read(person, courseId);
      if (record.owner === person) return record;
      throw new AppError('forbidden', 'Only the owner of a course may change it.');
    },
    async isShared(person, { owner, courseId, transientUntil }) {
      if (courseId === null || transientUntil !== undefined) return false;
      // The membership first: for strangers it is the only read.
      if (!(await courses.isMember(courseId, person))) return false;
      return (await courses.read(courseId))?.owner === owner;
    },
    async checkOwn(person, courseId) {
      if (courseId === null || courseId === undefined) return;
      if ((await readKnown(person, courseId))?.owner === person) return;
      throw new AppError('unknown_course', 'courseId names no course of yours; make one with POST /api/v1/courses.');
    },
  };
}
