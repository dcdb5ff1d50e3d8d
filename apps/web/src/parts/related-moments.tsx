import type { Moment } from '@studymate/contracts/search';
import { useEffect, useState } from 'preact/hooks';
import { useApp, useMessages } from '../state/app.ts';
import { toLectureHash } from '../state/route.ts';
import { toClock } from '../text/format.ts';
import { toMessage } from '../text/problems.ts';

/** Moments of other lectures that treat the same thing as a chapter. @param props.index its place among all chapters */
export function RelatedMoments({ lectureId, index }: { lectureId: string; index: number }) {
  const { client } = useApp();
  const m = useMessages();
  const [moments, setMoments] = useState<readonly Moment[] | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  useEffect(() => {
    const over = new AbortController();
    client.getRelatedMoments(lectureId, index, { signal: over.signal }).then(
      (answer) => setMoments(answer.moments),
      (error) => {
        if (!over.signal.aborted) setProblem(error);
      },
    );
    return () => over.abort();
  }, [client, lectureId, index]);
  if (problem !== null) return <p class="placeholder">{toMessage(problem, m)}</p>;
  if (moments === null) return <p class="placeholder">{m.related.looking}</p>;
  if (moments.length === 0) return <p class="placeholder">{m.related.none}</p>;
  return (
    <ul class="related">
      {moments.map(({ lectureId: other, title, startSeconds, text }) => (
        <li key={`${other} ${startSeconds}`}>
          <a href={toLectureHash(other, startSeconds)} dir="auto">{`${title} · ${toClock(startSeconds)}`}</a>
          <p dir="auto">{text}</p>
        </li>
      ))}
    </ul>
  );
}
