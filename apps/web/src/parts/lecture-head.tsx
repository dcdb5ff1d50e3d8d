import { useEffect, useState } from 'preact/hooks';
import { useApp, useMessages } from '../state/app.ts';
import { findRetryable, hasEnded } from '../state/lecture-state.ts';
import type { OpenLecture } from '../state/open-lecture.ts';
import { toCourseHash } from '../state/route.ts';
import { toMeta } from '../text/status-text.ts';
import { Confirm } from './confirm.tsx';
import { Downloads } from './downloads.tsx';
import { LectureDetails } from './lecture-details.tsx';
import { useIsMine } from './use-is-mine.ts';

const askAgainMs = 10_000;

/** Title, what is known of the recording, and what can be done with it. */
export function LectureHead({ open }: { open: OpenLecture }) {
  const m = useMessages();
  const { language } = useApp();
  const { lecture } = open.follower.state.value;
  const isMine = useIsMine(lecture);
  const [asked, setAsked] = useState<'details' | 'removal' | null>(null);
  return (
    <header class="lecture-head">
      <div class="lecture-heading">
        <h1 tabIndex={-1} dir="auto">
          {lecture?.title ?? m.lecture.untitled}
        </h1>
        <p class="lecture-meta">
          {lecture !== null && toMeta(lecture, m, language.toName)}
          {lecture?.courseId && <CourseLink courseId={lecture.courseId} />}
        </p>
      </div>
      <div class="lecture-actions">
        {isMine === true && lecture !== null && findRetryable(lecture) !== null && (
          <ActionButton label={m.lecture.retry} action={open.retry} />
        )}
        {isMine === true && lecture !== null && !hasEnded(lecture) && (
          <ActionButton label={m.lecture.cancel} action={open.cancel} />
        )}
        <Downloads lecture={lecture} />
        {/* Also before anything is known, so that nothing moves when it is. */}
        {isMine !== false && (
          <button class="button" type="button" disabled={isMine === null} onClick={() => setAsked('details')}>
            {m.course.change}
          </button>
        )}
        {isMine !== false && (
          <button class="button is-danger" type="button" disabled={isMine === null} onClick={() => setAsked('removal')}>
            {m.lecture.remove}
          </button>
        )}
      </div>
      {asked === 'details' && lecture !== null && (
        <LectureDetails lecture={lecture} onClose={() => setAsked(null)} onSave={open.change} />
      )}
      {asked === 'removal' && (
        <Confirm
          title={m.lecture.removeTitle(lecture?.title ?? '')}
          text={m.lecture.removeText}
          keep={m.lecture.keep}
          action={m.lecture.remove}
          onAnswer={(isYes) => {
            setAsked(null);
            if (isYes) void open.remove();
          }}
        />
      )}
    </header>
  );
}

function CourseLink({ courseId }: { courseId: string }) {
  const { courses } = useApp();
  const m = useMessages();
  useEffect(() => {
    const ask = () => {
      if (!courses.courses.peek()?.some(({ id }) => id === courseId)) void courses.refresh();
    };
    ask();
    // Whose it is decides what one may do here.
    const timer = setInterval(ask, askAgainMs);
    return () => clearInterval(timer);
  }, [courses, courseId]);
  const title = courses.courses.value?.find(({ id }) => id === courseId)?.title;
  return (
    <>
      {' · '}
      <a href={toCourseHash(courseId)} dir="auto">
        {title ?? m.course.course}
      </a>
    </>
  );
}

function ActionButton({ label, action }: { label: string; action(): Promise<void> }) {
  const [isBusy, setBusy] = useState(false);
  const act = async () => {
    setBusy(true);
    await action();
    setBusy(false);
  };
  return (
    <button class="button" type="button" disabled={isBusy} onClick={() => void act()}>
      {label}
    </button>
  );
}
