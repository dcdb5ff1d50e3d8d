import { type ReadonlySignal, signal } from '@preact/signals';
import type { StudyMateClient } from '@studymate/client/client';
import type { Course } from '@studymate/contracts/course';

export interface CourseList {
  /** One's own and those that others share, newest first; null before the first answer. */
  courses: ReadonlySignal<readonly Course[] | null>;
  /** Asks again; where nobody answers the list stays as it was. */
  refresh(): Promise<void>;
  /** Somebody else looks now. */
  forget(): void;
}

const pageSize = 100;

export function createCourseList(deps: { client: Pick<StudyMateClient, 'listCourses'> }): CourseList {
  const courses = signal<readonly Course[] | null>(null);
  let person = 0;
  return {
    courses,
    async refresh() {
      const found: Course[] = [];
      const asker = person;
      try {
        for (let cursor: string | null = ''; cursor !== null; ) {
          const page = await deps.client.listCourses({ limit: pageSize, ...(cursor !== '' && { cursor }) });
          found.push(...page.courses);
          cursor = page.nextCursor;
        }
        if (asker === person) courses.value = found;
      } catch {
        // The list of lectures, which is asked for beside it, says that the API is away.
      }
    },
    forget() {
      person += 1;
      courses.value = null;
    },
  };
}
