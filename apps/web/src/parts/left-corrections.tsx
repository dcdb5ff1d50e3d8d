import { useEffect, useState } from 'preact/hooks';
import { useApp, useMessages } from '../state/app.ts';
import { toLectureHash } from '../state/route.ts';

/** As many as stand on a line or two. */
const mostShown = 5;

/** What was corrected in this browser and not saved, and the way back to it; nothing where there is none. */
export function LeftCorrections() {
  const { client, drafts, person } = useApp();
  const m = useMessages();
  const owner = person.value;
  const [left, setLeft] = useState<readonly { lectureId: string; count: number }[]>([]);
  const [titles, setTitles] = useState<ReadonlyMap<string, string>>(new Map());
  useEffect(() => {
    const over = new AbortController();
    const find = async () => {
      const found = owner === null ? [] : await drafts.list(owner);
      const shown = found.slice(0, mostShown);
      const named = await Promise.all(
        shown.map(async ({ lectureId }): Promise<[string, string][]> => {
          // Deleted elsewhere, or nobody answers.
          const lecture = await client.getLecture(lectureId, { signal: over.signal }).catch(() => null);
          return lecture === null ? [] : [[lectureId, lecture.title]];
        }),
      );
      if (over.signal.aborted) return;
      setTitles(new Map(named.flat()));
      setLeft(found);
    };
    void find();
    return () => over.abort();
  }, [client, drafts, owner]);
  if (left.length === 0) return null;
  return (
    <p class="left-corrections">
      {m.drafts.left(left.length)}{' '}
      {left.map(({ lectureId, count }) => {
        const title = titles.get(lectureId);
        return (
          title !== undefined && (
            <span key={lectureId}>
              <a href={toLectureHash(lectureId)}>
                <bdi>{title}</bdi>
              </a>{' '}
              ({m.drafts.of(count)}).{' '}
            </span>
          )
        );
      })}
      {m.drafts.kept}
    </p>
  );
}
