import type { QuizQuestion } from '@studymate/contracts/study';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useApp, useMessages } from '../state/app.ts';
import { toClock } from '../text/format.ts';
import { toMessage } from '../text/problems.ts';
import { hasLostFocus } from './lost-focus.ts';

/** Questions with four answers each, one after the other, and how many were right in the end. */
export function Quiz({ lectureId, onSeek }: { lectureId: string; onSeek(seconds: number): void }) {
  const { client } = useApp();
  const m = useMessages();
  const [questions, setQuestions] = useState<readonly QuizQuestion[] | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  /** Of each question so far: the place of the answer that was chosen. */
  const [chosen, setChosen] = useState<readonly number[]>([]);
  const [at, setAt] = useState(0);
  const place = useRef<HTMLElement>(null);
  useEffect(() => {
    // What was pressed can be pressed no more: on to what comes next.
    const next = place.current?.querySelector<HTMLElement>('.is-main:enabled');
    if (hasLostFocus()) (next ?? place.current?.querySelector<HTMLElement>('.quiz-question, button'))?.focus();
  }, [at, chosen]);
  useEffect(() => {
    const over = new AbortController();
    client.getQuiz(lectureId, { signal: over.signal }).then(setQuestions, (error) => {
      if (!over.signal.aborted) setProblem(error);
    });
    return () => over.abort();
  }, [client, lectureId]);
  if (problem !== null) return <p class="placeholder">{toMessage(problem, m)}</p>;
  if (questions === null) return <p class="placeholder">{m.quiz.loading}</p>;
  if (questions.length === 0) return <p class="placeholder">{m.quiz.none}</p>;
  const right = chosen.filter((choice, i) => choice === questions[i]?.answer).length;
  const question = questions[at];
  if (question === undefined) {
    return (
      <section ref={place} class="message-card card" aria-label={m.quiz.title}>
        <p role="status">
          <strong>{m.quiz.result(right, questions.length)}</strong>
        </p>
        <button
          class="button"
          type="button"
          onClick={() => {
            setChosen([]);
            setAt(0);
          }}
        >
          {m.quiz.again}
        </button>
      </section>
    );
  }
  const choice = chosen[at];
  return (
    <section ref={place} class="quiz" aria-label={m.quiz.title}>
      <p class="quiz-place">{m.cards.place(at + 1, questions.length)}</p>
      <h3 class="quiz-question" dir="auto" tabIndex={-1}>
        {question.question}
      </h3>
      <ul class="quiz-choices">
        {question.choices.map((text, i) => {
          const isRight = i === question.answer;
          const state = choice === undefined ? undefined : isRight ? 'right' : i === choice ? 'wrong' : 'other';
          return (
            <li key={text}>
              <button
                class="quiz-choice"
                type="button"
                dir="auto"
                data-state={state}
                disabled={choice !== undefined}
                onClick={() => setChosen([...chosen, i])}
              >
                {text}
                {state === 'right' && <span class="quiz-mark">{m.quiz.right}</span>}
                {state === 'wrong' && <span class="quiz-mark">{m.quiz.wrong}</span>}
              </button>
            </li>
          );
        })}
      </ul>
      <div class="deck-buttons">
        <p class="visually-hidden" role="status">
          {choice === undefined ? '' : choice === question.answer ? m.quiz.right : m.quiz.wrong}
        </p>
        <button
          class="button"
          type="button"
          aria-label={m.cards.hearFrom(toClock(question.start))}
          onClick={() => onSeek(question.start)}
        >
          {m.cards.hear}
        </button>
        <button class="button is-main" type="button" disabled={choice === undefined} onClick={() => setAt(at + 1)}>
          {m.quiz.next}
        </button>
      </div>
    </section>
  );
}
