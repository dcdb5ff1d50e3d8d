import type { Lecture } from '@studymate/contracts/lecture';
import { useApp, useMessages } from '../state/app.ts';
import { hasEnded } from '../state/lecture-state.ts';
import { toLectureHash } from '../state/route.ts';
import { toClock, toDay } from '../text/format.ts';
import { toOverallProgress, toShortStatus, toStatusText } from '../text/status-text.ts';

/** One lecture in a list. */
export function LectureRow({ lecture }: { lecture: Lecture }) {
  const { language: names } = useApp();
  const m = useMessages();
  const { id, title, status, durationSeconds, language, createdAt } = lecture;
  const parts = [
    durationSeconds === null ? null : toClock(durationSeconds),
    language === null ? null : names.toName(language),
    toDay(createdAt, m),
    status === 'ready' ? null : toStatusText(lecture, m, { hasShare: false }),
  ];
  return (
    <li class="lecture-row card">
      <a class="lecture-link" href={toLectureHash(id)} dir="auto">
        {title}
      </a>
      <span class="pill" data-status={status}>
        {toShortStatus(lecture, m)}
      </span>
      <p class="lecture-meta">{parts.filter((part) => part !== null).join(' · ')}</p>
      <progress
        class="bar"
        max={1}
        value={toOverallProgress(lecture.stages)}
        aria-label={m.home.progress}
        hidden={hasEnded(lecture)}
      />
    </li>
  );
}
