import type { Lecture } from '@studymate/contracts/lecture';
import { useEffect, useRef } from 'preact/hooks';
import { useApp, useMessages } from '../state/app.ts';
import { maxTitleLength } from './course-links.tsx';
import { Dialog } from './dialog.tsx';

/** Changes a lecture's title, and the course that it belongs to. */
export function LectureDetails(props: {
  lecture: Lecture;
  onSave(changes: { title: string; courseId: string | null }): Promise<void>;
  onClose(): void;
}) {
  const { courses } = useApp();
  const m = useMessages();
  const { lecture } = props;
  const title = useRef<HTMLInputElement>(null);
  const course = useRef<HTMLSelectElement>(null);
  useEffect(() => void courses.refresh(), [courses]);
  const own = courses.courses.value?.filter(({ role }) => role === 'owner') ?? [];
  const save = () => {
    const courseId = course.current?.value || null;
    void props.onSave({ title: title.current?.value.trim() || lecture.title, courseId });
  };
  return (
    <Dialog
      title={m.course.changeTitle}
      leave={m.dialog.cancel}
      action={{ label: m.dialog.save }}
      onClose={(answer) => {
        props.onClose();
        if (answer !== '') save();
      }}
    >
      <label class="field-label" for="details-name">
        {m.course.title}
      </label>
      <input
        ref={title}
        class="field"
        id="details-name"
        dir="auto"
        autocomplete="off"
        required
        maxLength={maxTitleLength}
        defaultValue={lecture.title}
      />
      <label class="field-label" for="details-course">
        {m.course.course}
      </label>
      <select ref={course} class="field" id="details-course">
        <option value="">{m.course.none}</option>
        {own.map(({ id, title }) => (
          <option key={id} value={id} selected={id === lecture.courseId}>
            {title}
          </option>
        ))}
      </select>
    </Dialog>
  );
}
