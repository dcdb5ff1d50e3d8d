import { useRef } from 'preact/hooks';
import { useMessages } from '../state/app.ts';
import type { OpenCourse } from '../state/open-course.ts';

/** Who else reads the course, by the names that their keys have. */
export function CourseMembers({ open, members }: { open: OpenCourse; members: readonly string[] }) {
  const m = useMessages();
  const field = useRef<HTMLInputElement>(null);
  const add = async () => {
    const person = field.current?.value.trim();
    if (!person || field.current === null) return;
    await open.addMember(person);
    field.current.value = '';
  };
  return (
    <section aria-labelledby="members-title">
      <h2 id="members-title">{m.course.members}</h2>
      <p class="lead">{m.course.membersHint}</p>
      <ul class="members">
        {members.map((person) => (
          <li key={person}>
            <bdi>{person}</bdi>
            <button
              class="button is-small"
              type="button"
              aria-label={m.course.removeMember(person)}
              onClick={() => void open.removeMember(person)}
            >
              {m.course.removeIt}
            </button>
          </li>
        ))}
      </ul>
      <form
        class="one-line"
        onSubmit={(event) => {
          event.preventDefault();
          void add();
        }}
      >
        <label class="visually-hidden" for="member">
          {m.course.memberName}
        </label>
        <input
          ref={field}
          class="field"
          id="member"
          autocomplete="off"
          required
          maxLength={255}
          placeholder={m.course.memberName}
        />
        <button class="button" type="submit">
          {m.course.addMember}
        </button>
      </form>
    </section>
  );
}
