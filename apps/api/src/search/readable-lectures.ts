import type { LectureRecord } from '@studymate/contracts/lecture-record';
import type { CourseStore } from '@studymate/storage/course-store';
import { inBatches } from '@studymate/storage/in-batches';
import type { LectureStore } from '@studymate/storage/lecture-store';
import { readUnlessDamaged } from '@studymate/storage/read-unless-damaged';
import type { CourseReader } from '../courses/course-reader.ts';

export interface ListedLectures {
  /** The person's own, the newest first. */
  ownIds: string[];
  /** All those of owners who share a course with the person, who may read some of them: `canRead` says which. */
  foreignIds: string[];
  /** Of the courses that others share with the person. */
  courseIds: string[];
}

/** What a person may find: the one place that decides it. */
export interface ReadableLectures {
  list(person: string): Promise<ListedLectures>;
  /** Asked when a lecture is read, and again before anything of it is shown. */
  canRead(person: string, record: LectureRecord): Promise<boolean>;
}

export function createReadableLectures(deps: {
  lectures: Pick<LectureStore, 'listIds'>;
  courses: Pick<CourseStore, 'listIds' | 'read'>;
  courseReader: Pick<CourseReader, 'isShared'>;
}): ReadableLectures {
  const { lectures, courses, courseReader } = deps;
  const limit = Number.POSITIVE_INFINITY;
  return {
    async list(person) {
      const ownIds = await lectures.listIds(person, { limit });
      const courseIds = await courses.listIds(person, { limit, relation: 'shared' });
      const shared = await inBatches(courseIds, (courseId) => readUnlessDamaged(courses, courseId));
      const owners = new Set(shared.flatMap((course) => (course && course.owner !== person ? [course.owner] : [])));
      const foreignIds = await inBatches([...owners], (owner) => lectures.listIds(owner, { limit }));
      return { ownIds, foreignIds: foreignIds.flat(), courseIds };
    },
    async canRead(person, record) {
      if (record.transientUntil !== undefined) return false;
      if (record.owner === person) return true;
      const isShared = () => courseReader.isShared(person, record);
      // A course that cannot be read is shared with nobody.
      return (await readUnlessDamaged({ read: isShared }, record.id)) === true;
    },
  };
}
