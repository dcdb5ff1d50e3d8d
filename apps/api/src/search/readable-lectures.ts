import type { LectureRecord } from '@studymate/contracts/lecture-record';
import type { CourseStore } from '@studymate/storage/course-store';
import type { LectureStore } from '@studymate/storage/lecture-store';
import type { CourseReader } from '../courses/course-reader.ts';
import { readUnlessDamaged } from '../lectures/read-unless-damaged.ts';

/** What a person may find: the one place that decides it. */
export interface ReadableLectures {
  /** Ids of all lectures that the person may be able to read; `canRead` says of each whether it is so. */
  list(
    person: string,
  ): Promise<{ ids: string[] /** Of the courses that are theirs or shared with them. */; courseIds: string[] }>;
  /** Asked when a lecture is read, and again before anything of it is shown. */
  canRead(person: string, record: LectureRecord): Promise<boolean>;
}

/** Their own lectures, the newest first, and then those of the owners who share a course with them. */
export function createReadableLectures(deps: {
  lectures: Pick<LectureStore, 'listIds'>;
  courses: Pick<CourseStore, 'listIds' | 'read'>;
  courseReader: Pick<CourseReader, 'isShared'>;
}): ReadableLectures {
  const { lectures, courses, courseReader } = deps;
  const limit = Number.POSITIVE_INFINITY;
  return {
    async list(person) {
      const owners = new Set([person]);
      const courseIds = await courses.listIds(person, { limit });
      for (const courseId of courseIds) {
        const course = await readUnlessDamaged(courses, courseId);
        if (course) owners.add(course.owner);
      }
      const ids: string[] = [];
      for (const owner of owners) ids.push(...(await lectures.listIds(owner, { limit })));
      return { ids, courseIds };
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
