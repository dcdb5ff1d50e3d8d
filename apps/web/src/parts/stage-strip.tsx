import type { Lecture } from '@studymate/contracts/lecture';
import type { StageName, StageView } from '@studymate/contracts/stages';
import { useRef } from 'preact/hooks';
import { useMessages } from '../state/app.ts';
import { findStage, hasEnded } from '../state/lecture-state.ts';
import type { Messages } from '../text/en.ts';
import { toReason } from '../text/problems.ts';
import { toStageText } from '../text/status-text.ts';
import { Icon } from './icon.tsx';

/**
 * The steps side by side, each with how far it is or what it took. As high at the end as before the first answer; on a small
 * screen not there at all for a lecture that was ready before.
 */
export function StageStrip({ lecture }: { lecture: Lecture | null }) {
  const m = useMessages();
  const wasSeenWorking = useRef(false);
  wasSeenWorking.current ||= lecture !== null && lecture.status !== 'ready';
  return (
    <ol class={wasSeenWorking.current ? 'stages' : 'stages is-over'} aria-label={m.lecture.steps}>
      {(Object.keys(m.stages) as StageName[]).map((name) => {
        const stage = lecture === null ? undefined : findStage(lecture, name);
        return (
          <li key={name} class="stage" data-status={stage?.status} title={stage && toTitle(stage, m)}>
            <span class="stage-mark" style={{ '--progress': `${Math.round((stage?.progress ?? 0) * 100)}%` }}>
              <StageIcon status={stage?.status} />
            </span>
            <span class="stage-name">{m.stages[name]}</span>
            <span class="stage-text">
              {stage === undefined || lecture === null ? '\u00a0' : toStageText(stage, hasEnded(lecture), m)}
            </span>
          </li>
        );
      })}
    </ol>
  );
}

function StageIcon({ status }: { status: StageView['status'] | undefined }) {
  if (status === 'done') return <Icon name="done" />;
  if (status === 'failed' || status === 'cancelled') return <Icon name="failed" />;
  return status === 'skipped' ? <Icon name="skipped" /> : null;
}

function toTitle(stage: StageView, m: Messages): string {
  if (stage.error !== undefined) return toReason(stage.error, m.problems);
  return stage.status === 'done' && stage.cold === true ? m.lecture.coldTime : '';
}
