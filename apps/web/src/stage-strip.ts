import type { Lecture } from '@studymate/contracts/lecture';
import type { StageName, StageView } from '@studymate/contracts/stages';
import { el, icon, icons, setText } from './dom.ts';
import { hasEnded } from './lecture-state.ts';
import { stageLabels, toStageText } from './status-text.ts';

export interface StageStrip {
  element: HTMLElement;
  update(lecture: Lecture): void;
}

/** The steps side by side, each with how far it is or what it took. As high at the end as before the first answer. */
export function createStageStrip(): StageStrip {
  const steps = (Object.keys(stageLabels) as StageName[]).map((name) => [name, createStage(name)] as const);
  const shown = new Map(steps);
  return {
    element: el(
      'ol',
      { class: 'stages', 'aria-label': 'Steps' },
      steps.map(([, { element }]) => element),
    ),
    update(lecture) {
      for (const stage of lecture.stages) shown.get(stage.name)?.update(stage, hasEnded(lecture));
    },
  };
}

function createStage(name: StageName) {
  const mark = el('span', { class: 'stage-mark' });
  const text = el('span', { class: 'stage-text' }, ['\u00a0']);
  const element = el('li', { class: 'stage' }, [mark, el('span', { class: 'stage-name' }, [stageLabels[name]]), text]);
  return {
    element,
    update(stage: StageView, lectureHasEnded: boolean) {
      setText(text, toStageText(stage, lectureHasEnded));
      mark.style.setProperty('--progress', `${Math.round(stage.progress * 100)}%`);
      element.title = toTitle(stage);
      if (element.dataset.status === stage.status) return;
      element.dataset.status = stage.status;
      const picture =
        stage.status === 'done'
          ? icons.done
          : stage.status === 'failed' || stage.status === 'cancelled'
            ? icons.failed
            : stage.status === 'skipped'
              ? icons.skipped
              : null;
      mark.replaceChildren(...(picture === null ? [] : [icon(picture)]));
    },
  };
}

function toTitle(stage: StageView): string {
  if (stage.error !== undefined) return stage.error.message;
  return stage.status === 'done' && stage.cold === true ? 'The time includes loading the model.' : '';
}
