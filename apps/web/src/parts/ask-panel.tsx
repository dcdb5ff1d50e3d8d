import type { AskEvent } from '@studymate/client/ask-stream';
import type { Lecture } from '@studymate/contracts/lecture';
import type { AskResponse } from '@studymate/contracts/search';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useApp, useMessages } from '../state/app.ts';
import { findStage, isStale } from '../state/lecture-state.ts';
import { toMessage } from '../text/problems.ts';
import { whyMissing } from '../text/status-text.ts';
import { useFocusAfter } from './lost-focus.ts';
import { Moment } from './moment.tsx';
import { StaleNote } from './stale-note.tsx';

interface Turn {
  question: string;
  answer: AskResponse | null;
  problem: unknown;
}

const maxQuestionLength = 500;

/** What is known of an answer by now. */
function withEvent(answer: AskResponse | null, event: AskEvent): AskResponse | null {
  if (event.name !== 'statement') return event.found;
  return answer && { ...answer, statements: [...(answer.statements ?? []), event.statement] };
}

interface AskPanelProps {
  lectureId: string;
  lecture: Lecture | null;
  /** There is nothing that could be asked about. */
  hasNoText: boolean;
  onSeek(seconds: number): void;
  /** The study parts are wanted from the corrected text. */
  onMakeAgain(): void;
}

/** Questions about one lecture, one leaning on the other; each answer is what was said, and when. */
export function AskPanel({ lectureId, lecture, hasNoText, onSeek, onMakeAgain }: AskPanelProps) {
  const { client } = useApp();
  const m = useMessages();
  const field = useRef<HTMLInputElement>(null);
  const keepFocus = useFocusAfter(field);
  // The passages that answers are made of are found when the chapters are made.
  const chapters = lecture === null ? undefined : findStage(lecture, 'chapters');
  const [turns, setTurns] = useState<readonly Turn[]>([]);
  const [isAsking, setAsking] = useState(false);
  const over = useRef(new AbortController());
  useEffect(() => () => over.current.abort(), []);

  const ask = async () => {
    const question = field.current?.value.trim() ?? '';
    if (question === '' || isAsking) return;
    setAsking(true);
    const conversationId = turns.findLast(({ answer }) => answer !== null)?.answer?.conversationId;
    const request = { question, lectureId, ...(conversationId !== undefined && { conversationId }) };
    let answer: AskResponse | null = null;
    const show = (problem: unknown) => setTurns([...turns, { question, answer, problem }]);
    try {
      for await (const event of client.askStream(request, { signal: over.current.signal })) {
        // Now, and not at the end: the next question may be written meanwhile.
        if (answer === null && field.current !== null) field.current.value = '';
        answer = withEvent(answer, event);
        show(null);
      }
    } catch (problem) {
      if (over.current.signal.aborted) return;
      show(problem);
    }
    setAsking(false);
  };

  return (
    <div class="ask">
      <h2 class="pane-title">{m.ask.title}</h2>
      {lecture !== null && chapters !== undefined && isStale(lecture, chapters) && (
        <StaleNote
          lecture={lecture}
          text={m.ask.stale}
          onMakeAgain={() => {
            keepFocus();
            onMakeAgain();
          }}
        />
      )}
      {hasNoText && lecture !== null && <p class="placeholder">{whyMissing(lecture, 'chapters', m)}</p>}
      <form
        class="one-line"
        hidden={hasNoText}
        onSubmit={(event) => {
          event.preventDefault();
          void ask();
        }}
      >
        <label class="visually-hidden" for="question">
          {m.ask.label}
        </label>
        <input
          ref={field}
          class="field"
          id="question"
          dir="auto"
          autocomplete="off"
          required
          maxLength={maxQuestionLength}
          placeholder={m.ask.placeholder}
        />
        <button class="button is-main" type="submit" disabled={isAsking}>
          {m.ask.ask}
        </button>
      </form>
      <div aria-live="polite">
        {isAsking && <p class="placeholder">{m.ask.looking}</p>}
        {turns.toReversed().map((turn, i) => (
          <section key={turns.length - i} class="ask-turn">
            <h3 dir="auto">{turn.question}</h3>
            {turn.answer === null ? (
              <p class="placeholder">{toMessage(turn.problem, m)}</p>
            ) : (
              <Answer answer={turn.answer} onSeek={onSeek} />
            )}
          </section>
        ))}
      </div>
    </div>
  );
}

function Answer({ answer, onSeek }: { answer: AskResponse; onSeek(seconds: number): void }) {
  const m = useMessages();
  const { answerable, passages, statements = [] } = answer;
  if (!answerable) return <p class="placeholder">{m.ask.notSaid}</p>;
  return (
    <>
      {statements.map(({ text, passages: places }) => (
        <p key={text} dir="auto">
          {text}
          {places.map((place) => {
            const passage = passages[place];
            return passage && <Moment key={place} seconds={passage.startSeconds} onSeek={onSeek} />;
          })}
        </p>
      ))}
      <ul class="ask-passages" aria-label={m.ask.passages}>
        {passages.map(({ startSeconds, text }) => (
          <li key={startSeconds}>
            <Moment seconds={startSeconds} onSeek={onSeek} />
            <p dir="auto">{text}</p>
          </li>
        ))}
      </ul>
    </>
  );
}
