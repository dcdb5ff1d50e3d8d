import { ApiError } from '@studymate/client/api-error';
import type { Lecture } from '@studymate/contracts/lecture';
import type { StudyStageName } from '@studymate/contracts/stages';
import { el, setText } from './dom.ts';
import { findStage, hasEnded } from './lecture-state.ts';
import { toMessage } from './problems.ts';
import { stageLabels } from './status-text.ts';

export interface StudyPart {
  element: HTMLElement;
  /** Fetches the part once its stage is done; says why there is none otherwise. */
  update(lecture: Lecture): void;
}

export interface StudyPartDeps<T> {
  stage: StudyStageName;
  /** Where the part is shown. */
  content: HTMLElement;
  load(): Promise<T>;
  show(value: T): void;
  onRetry(stage: StudyStageName): void;
}

const loadAgainMs = 3_000;

/** One of the study parts: what is made of a stage, or a line about why it is not there. */
export function createStudyPart<T>(deps: StudyPartDeps<T>): StudyPart {
  const message = el('p', { class: 'placeholder' });
  const retry = el('button', { class: 'button', type: 'button', hidden: true }, ['Try again'], {
    click() {
      retry.hidden = true;
      deps.onRetry(deps.stage);
    },
  });
  const element = el('section', { class: 'part pane', tabindex: 0 }, [message, retry, deps.content]);
  deps.content.hidden = true;
  let state: 'empty' | 'loading' | 'shown' = 'empty';

  const load = async () => {
    state = 'loading';
    try {
      deps.show(await deps.load());
      state = 'shown';
      deps.content.hidden = false;
      message.hidden = true;
    } catch (error) {
      state = 'empty';
      setText(message, toMessage(error));
      // Nothing else would ask again for a lecture that has ended.
      const isFinal = error instanceof ApiError && error.status < 500;
      if (!isFinal && element.isConnected)
        setTimeout(() => element.isConnected && state === 'empty' && load(), loadAgainMs);
    }
  };

  return {
    element,
    update(lecture) {
      const stage = findStage(lecture, deps.stage);
      if (stage === undefined) return;
      if (stage.status === 'done') {
        retry.hidden = true;
        if (state === 'empty') void load();
        return;
      }
      // A retry makes the part anew.
      state = 'empty';
      deps.content.hidden = true;
      message.hidden = false;
      setText(message, whyMissing(lecture, deps.stage));
      retry.hidden = !(stage.status === 'failed' && hasEnded(lecture));
    },
  };
}

function whyMissing(lecture: Lecture, name: StudyStageName): string {
  const stage = findStage(lecture, name);
  switch (stage?.status) {
    case 'failed':
      return `This part could not be made: ${stage.error?.message ?? 'the reason is not known.'}`;
    case 'skipped':
      return lecture.status === 'failed'
        ? 'There is no transcript to make this part of.'
        : 'Nobody speaks in this recording, so there is nothing to make of it.';
    case 'cancelled':
      return 'The lecture was cancelled before this part was made.';
    case 'running':
    case 'queued':
      return `${stageLabels[name]}: being made …`;
    default:
      return 'This part is made once the transcript is complete.';
  }
}
