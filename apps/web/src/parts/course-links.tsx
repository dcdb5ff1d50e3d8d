import { useEffect, useState } from 'preact/hooks';
import { useApp, useMessages } from '../state/app.ts';
import { toCourseHash } from '../state/route.ts';
import { toMessage } from '../text/problems.ts';
import { AskText } from './ask-text.tsx';
import { Icon } from './icon.tsx';

export const maxTitleLength = 300;

/** All courses, and a way to a new one. */
export function CourseLinks() {
  const { client, courses, notices, messages } = useApp();
  const m = useMessages();
  const [isAsking, setAsking] = useState(false);
  useEffect(() => void courses.refresh(), [courses]);
  const create = async (title: string) => {
    try {
      const { id } = await client.createCourse(title);
      await courses.refresh();
      location.hash = toCourseHash(id);
    } catch (error) {
      notices.note(toMessage(error, messages.peek()));
    }
  };
  return (
    <nav class="courses" aria-labelledby="courses-title">
      <h2 id="courses-title">{m.course.courses}</h2>
      <ul class="course-links">
        {courses.courses.value?.map(({ id, title, role, owner }) => (
          <li key={id}>
            <a
              class="button course-link"
              href={toCourseHash(id)}
              title={role === 'owner' ? '' : m.course.sharedBy(owner)}
            >
              <Icon name={role === 'owner' ? 'folder' : 'people'} />
              <bdi>{title}</bdi>
            </a>
          </li>
        ))}
        <li>
          <button class="button" type="button" onClick={() => setAsking(true)}>
            <Icon name="plus" />
            {m.course.create}
          </button>
        </li>
      </ul>
      {isAsking && (
        <AskText
          title={m.course.create}
          label={m.course.title}
          initial=""
          action={m.course.createIt}
          maxLength={maxTitleLength}
          onAnswer={(title) => {
            setAsking(false);
            if (title !== null) void create(title);
          }}
        />
      )}
    </nav>
  );
}
