import type { Lecture } from '@studymate/contracts/lecture';
import type { UnplacedCorrections as Unplaced } from '@studymate/contracts/transcript-edit';
import { useEffect, useState } from 'preact/hooks';
import { useApp, useMessages } from '../state/app.ts';
import { UnplacedCorrections } from './unplaced-corrections.tsx';

/** How many saved corrections have no place in a text that was made anew, and the way to them; nothing where all have one. */
export function KeptUnplaced(props: { lecture: Lecture; onDiscard(version: number): void }) {
  const { client } = useApp();
  const m = useMessages();
  const { id, transcriptVersion, language } = props.lecture;
  const [unplaced, setUnplaced] = useState<Unplaced | null>(null);
  const [isOpen, setIsOpen] = useState(false);
  useEffect(() => {
    const over = new AbortController();
    client.getUnplacedCorrections(id, { signal: over.signal }).then(
      (found) => !over.signal.aborted && setUnplaced(found),
      // Nobody answers, which the page says elsewhere: with the next version it is asked again.
      () => {},
    );
    return () => over.abort();
  }, [client, id, transcriptVersion]);
  if (unplaced === null || unplaced.corrections.length === 0) return null;
  return (
    <>
      <p class="stale">
        {m.editing.unplaced(unplaced.corrections.length)}
        <button class="button is-small" type="button" onClick={() => setIsOpen(true)}>
          {m.editing.look}
        </button>
      </p>
      {isOpen && (
        <UnplacedCorrections
          corrections={unplaced.corrections}
          why={m.editing.keptUnplacedWhy}
          language={language ?? undefined}
          onClose={() => setIsOpen(false)}
          onDiscard={() => props.onDiscard(unplaced.version)}
        />
      )}
    </>
  );
}
