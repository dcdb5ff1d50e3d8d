import type { AskEvent } from '@studymate/client/ask-stream';
import type { AskResponse } from '@studymate/contracts/search';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useApp, useMessages } from '../state/app.ts';
import { toMessage } from '../text/problems.ts';
import { Moment } from './moment.tsx';

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

/** Questions about one lecture, one leaning on the other; each answer is what was said, and when. */
export function AskPanel({ lectureId, onSeek }: { lectureId: string; onSeek(seconds: number): void }) {
  const { client } = useApp();
  const m = useMessages();
  const field = useRef<HTMLInputElement>(null);
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
      <form
        class="one-line"
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
