import { type ReadonlySignal, signal } from '@preact/signals';
import { ApiError } from '@studymate/client/api-error';
import type { Course } from '@studymate/contracts/course';
import { toMessage } from '../text/problems.ts';
import type { App } from './app.ts';

/** A course that is looked at. */
export interface OpenCourse {
  /** null before the first answer. */
  course: ReadonlySignal<Course | null>;
  /** It was deleted, is not shared any more, or never was. */
  isGone: ReadonlySignal<boolean>;
  rename(title: string): Promise<void>;
  addMember(person: string): Promise<void>;
  removeMember(person: string): Promise<void>;
  /** Deletes it; its lectures stay. */
  remove(): Promise<void>;
  close(): void;
}

const againMs = 3_000;

export function createOpenCourse(deps: { app: App; courseId: string }): OpenCourse {
  const { courseId } = deps;
  const { client, notices, messages, courses } = deps.app;
  const over = new AbortController();
  const course = signal<Course | null>(null);
  const isGone = signal(false);
  let timer: ReturnType<typeof setTimeout> | undefined;

  const load = async () => {
    try {
      course.value = await client.getCourse(courseId, { signal: over.signal });
    } catch (error) {
      if (over.signal.aborted) return;
      if (error instanceof ApiError && error.status === 404) isGone.value = true;
      else timer = setTimeout(() => void load(), againMs);
    }
  };
  /** Says so when something that was asked for cannot be done. */
  const act = async (action: () => Promise<unknown>) => {
    try {
      await action();
    } catch (error) {
      if (!over.signal.aborted) notices.note(toMessage(error, messages.peek()));
    }
  };
  void load();

  return {
    course,
    isGone,
    rename: (title) =>
      act(async () => {
        course.value = await client.changeCourse(courseId, { title });
        await courses.refresh();
      }),
    addMember: (person) =>
      act(async () => {
        course.value = await client.addMember(courseId, person);
      }),
    removeMember: (person) =>
      act(async () => {
        await client.removeMember(courseId, person);
        await load();
      }),
    remove: () =>
      act(async () => {
        await client.deleteCourse(courseId);
        await courses.refresh();
        notices.note(messages.peek().course.removed);
        location.hash = '#/';
      }),
    close() {
      over.abort();
      clearTimeout(timer);
    },
  };
}
