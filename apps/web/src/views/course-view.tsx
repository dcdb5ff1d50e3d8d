import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Adding } from '../parts/adding.tsx';
import { AskText } from '../parts/ask-text.tsx';
import { Confirm } from '../parts/confirm.tsx';
import { maxTitleLength } from '../parts/course-links.tsx';
import { CourseMembers } from '../parts/course-members.tsx';
import { CourseTopicsChart } from '../parts/course-topics.tsx';
import { LectureList } from '../parts/lecture-list.tsx';
import { SearchBox } from '../parts/search-box.tsx';
import { useApp, useMessages } from '../state/app.ts';
import { createOpenCourse } from '../state/open-course.ts';

/** A course: its lectures, a search in them, and who may read it. Members only look. */
export function CourseView({ courseId, query }: { courseId: string; query: string }) {
  const app = useApp();
  const m = useMessages();
  const open = useMemo(() => createOpenCourse({ app, courseId }), [app, courseId]);
  useEffect(() => () => open.close(), [open]);
  const [asked, setAsked] = useState<'title' | 'removal' | null>(null);
  const [showsTopics, setShowsTopics] = useState(false);
  const topicsTitle = useRef<HTMLHeadingElement>(null);
  const showTopics = () => {
    setShowsTopics(true);
    // The button goes.
    topicsTitle.current?.focus();
  };
  const course = open.course.value;
  useEffect(() => {
    if (course !== null) document.title = `${course.title} · StudyMate`;
  }, [course]);
  if (open.isGone.value) {
    return (
      <div class="message">
        <h1 tabIndex={-1}>{m.course.gone}</h1>
        <p>{m.course.goneWhy}</p>
        <p>
          <a href="#/">{m.home.allLectures}</a>
        </p>
      </div>
    );
  }
  const isOwner = course?.role === 'owner';
  // Without keys everybody is the same person.
  const isShareable = app.person.value !== null && app.person.value !== 'local';
  return (
    <div class="home">
      <header class="course-head">
        <div>
          <p class="crumb">
            <a href="#/">{m.home.allLectures}</a>
          </p>
          <h1 tabIndex={-1} dir="auto">
            {course?.title ?? m.course.course}
          </h1>
          {course?.role === 'member' && <p class="lead">{m.course.sharedBy(course.owner)}</p>}
        </div>
        {isOwner && (
          <div class="lecture-actions">
            <button class="button" type="button" onClick={() => setAsked('title')}>
              {m.course.rename}
            </button>
            <button class="button is-danger" type="button" onClick={() => setAsked('removal')}>
              {m.course.remove}
            </button>
          </div>
        )}
      </header>
      {isOwner && <Adding courseId={courseId} />}
      <section aria-labelledby="lectures-title">
        <h2 id="lectures-title">{m.home.lectures}</h2>
        <SearchBox courseId={courseId} query={query} />
        <LectureList courseId={courseId} empty={m.course.empty} />
      </section>
      <section aria-labelledby="topics-title">
        <h2 ref={topicsTitle} id="topics-title" tabIndex={-1}>
          {m.courseTopics.title}
        </h2>
        {showsTopics ? (
          <CourseTopicsChart courseId={courseId} />
        ) : (
          <button class="button" type="button" onClick={showTopics}>
            {m.courseTopics.show}
          </button>
        )}
      </section>
      {isOwner && isShareable && <CourseMembers open={open} members={course.members ?? []} />}
      {asked === 'title' && course !== null && (
        <AskText
          title={m.course.rename}
          label={m.course.title}
          initial={course.title}
          action={m.dialog.save}
          maxLength={maxTitleLength}
          onAnswer={(title) => {
            setAsked(null);
            if (title !== null) void open.rename(title);
          }}
        />
      )}
      {asked === 'removal' && course !== null && (
        <Confirm
          title={m.course.removeTitle(course.title)}
          text={m.course.removeText}
          keep={m.lecture.keep}
          action={m.course.remove}
          onAnswer={(isYes) => {
            setAsked(null);
            if (isYes) void open.remove();
          }}
        />
      )}
    </div>
  );
}
