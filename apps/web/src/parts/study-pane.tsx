import type { Lecture } from '@studymate/contracts/lecture';
import type { Retryable, StudyStageName } from '@studymate/contracts/stages';
import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { useMessages } from '../state/app.ts';
import { findStage, hasEnded, isStale } from '../state/lecture-state.ts';
import type { StudyPart } from '../state/study-part.ts';
import { toMessage } from '../text/problems.ts';
import { whyMissing } from '../text/status-text.ts';
import { useFocusAfter } from './lost-focus.ts';
import { StaleNote } from './stale-note.tsx';
import { panelProps } from './tabs.tsx';

/** One of the study parts: what is made of a stage, or a line about why it is not there. */
export function StudyPane<T>(props: {
  part: StudyPart<T, StudyStageName>;
  lecture: Lecture | null;
  selected: string;
  onRetry(stage: Retryable): void;
  children(value: T): ComponentChildren;
}) {
  const m = useMessages();
  const { part, lecture } = props;
  const pane = useRef<HTMLElement>(null);
  const keepFocus = useFocusAfter(pane);
  const retry = (stage: Retryable) => {
    keepFocus();
    props.onRetry(stage);
  };
  const value = part.value.value;
  const problem = part.problem.value;
  const stage = lecture === null ? undefined : findStage(lecture, part.stage);
  const canRetry = lecture !== null && stage?.status === 'failed' && hasEnded(lecture);
  const toWhy = () => {
    if (lecture === null) return '';
    if (stage?.status === 'done') return problem === null ? '' : toMessage(problem, m);
    return whyMissing(lecture, part.stage, m);
  };
  return (
    <section ref={pane} {...panelProps(part.stage, props.selected, 'part pane')}>
      <h2 class="pane-title">{m.stages[part.stage]}</h2>
      {lecture !== null && stage !== undefined && isStale(lecture, stage) && (
        <StaleNote lecture={lecture} text={m.parts.stale} onMakeAgain={() => retry('study')} />
      )}
      {value === null ? <p class="placeholder">{toWhy()}</p> : props.children(value)}
      {canRetry && (
        <button class="button" type="button" onClick={() => retry(part.stage)}>
          {m.parts.retry}
        </button>
      )}
    </section>
  );
}
