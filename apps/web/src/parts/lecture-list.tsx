import { useSignalEffect } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { useApp, useMessages } from '../state/app.ts';
import { createLectureList } from '../state/lecture-list.ts';
import { LectureRow } from './lecture-row.tsx';

/** Lectures, kept fresh while the page is seen. @param props.courseId only those of a course */
export function LectureList({ courseId, empty }: { courseId?: string; empty: string }) {
  const { client, notices, uploads } = useApp();
  const m = useMessages();
  const list = useMemo(
    () => createLectureList({ client, notices, ...(courseId !== undefined && { courseId }) }),
    [client, notices, courseId],
  );
  useEffect(() => () => list.close(), [list]);
  useSignalEffect(() => {
    // At first, and whenever what has been sent is a lecture now.
    if (uploads.items.value.length >= 0) list.refresh();
  });
  const lectures = list.lectures.value;
  return (
    <>
      <ul class="lectures">
        {lectures?.map((lecture) => (
          <LectureRow key={lecture.id} lecture={lecture} />
        ))}
      </ul>
      <p class="empty" hidden={lectures === null || lectures.length > 0}>
        {empty}
      </p>
      <button class="button" type="button" hidden={!list.hasMore.value} onClick={list.showMore}>
        {m.home.showMore}
      </button>
    </>
  );
}
