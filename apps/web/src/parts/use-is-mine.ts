import type { Lecture } from '@studymate/contracts/lecture';
import { useApp } from '../state/app.ts';

/** Whether one may change a lecture: of a course that others share one reads only. null: not known yet. */
export function useIsMine(lecture: Lecture | null): boolean | null {
  const { courses } = useApp();
  if (lecture === null) return null;
  if (lecture.courseId === null) return true;
  const course = courses.courses.value?.find(({ id }) => id === lecture.courseId);
  return course === undefined ? null : course.role !== 'member';
}
