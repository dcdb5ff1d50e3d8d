import type { Summary } from '@studymate/contracts/study';
import { useMessages } from '../state/app.ts';
import { toClock } from '../text/format.ts';
import { Moment } from './moment.tsx';

/** Statements and key terms, each with the moment it was taken from. */
export function SummaryPanel({ summary, onSeek }: { summary: Summary; onSeek(seconds: number): void }) {
  const m = useMessages();
  const { statements, keyTerms } = summary;
  return (
    <div class="summary">
      {statements.length === 0 ? (
        <p class="placeholder">{m.summary.tooShort}</p>
      ) : (
        <ol class="statements">
          {statements.map(({ text, start }) => (
            <li key={start}>
              <button class="statement" type="button" dir="auto" onClick={() => onSeek(start)}>
                <span class="moment">{toClock(start)}</span>
                <span class="statement-text">{text}</span>
              </button>
            </li>
          ))}
        </ol>
      )}
      {keyTerms.length > 0 && (
        <>
          <h3>{m.summary.keyTerms}</h3>
          <dl class="terms">
            {keyTerms.map(({ term, definition, start }) => (
              <div class="term" key={term}>
                <dt>
                  <bdi>{term}</bdi>
                  <Moment seconds={start} onSeek={onSeek} />
                </dt>
                <dd dir="auto">{definition}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
    </div>
  );
}
