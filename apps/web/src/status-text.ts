import type { Lecture } from '@studymate/contracts/lecture';
import { stageShares } from '@studymate/contracts/stage-shares';
import type { StageName, StageView } from '@studymate/contracts/stages';
import { plural, toAbout, toPercent, toTaken } from './format.ts';

/** What the steps are called on the page. */
export const stageLabels: Readonly<Record<StageName, string>> = {
  ingest: 'Sound',
  transcribe: 'Transcript',
  assemble: 'Joining',
  chapters: 'Chapters',
  topics: 'Topics',
  summary: 'Summary',
  flashcards: 'Cards',
};

const doing: Readonly<Record<StageName, string>> = {
  ingest: 'Reading the sound',
  transcribe: 'Transcribing',
  assemble: 'Joining the transcript',
  chapters: 'Finding chapters',
  topics: 'Finding topics',
  summary: 'Writing the summary',
  flashcards: 'Making cards',
};

const studyStages: ReadonlySet<StageName> = new Set(['chapters', 'topics', 'summary', 'flashcards']);

/** Of all the work, 0 to 1. */
export function toOverallProgress(stages: readonly StageView[]): number {
  return stages.reduce(
    (sum, stage) => sum + stageShares[stage.name] * (stage.status === 'skipped' ? 1 : stage.progress),
    0,
  );
}

/** One line about where a lecture stands. */
export function toStatusText(lecture: Lecture): string {
  const { etaSeconds, position } = lecture.queue;
  switch (lecture.status) {
    case 'queued': {
      const ahead =
        position === null
          ? 'Waiting'
          : position <= 1
            ? 'Next in the queue'
            : `${plural(position - 1, 'lecture')} before this one`;
      return etaSeconds === null ? ahead : `${ahead} · ready in ${toAbout(etaSeconds)}`;
    }
    case 'running': {
      const running = lecture.stages.filter((stage) => stage.status === 'running');
      const what = describeWork(running);
      return etaSeconds === null ? what : `${what} · ${toAbout(etaSeconds)} left`;
    }
    case 'ready':
      return 'Ready';
    case 'partial':
      return 'Ready, but not all parts could be made';
    case 'failed': {
      const message = lecture.stages.find((stage) => stage.error !== undefined)?.error?.message;
      return message === undefined ? 'Could not be worked on' : `Could not be worked on: ${message}`;
    }
    case 'cancelled':
      return 'Cancelled';
  }
}

function describeWork(running: readonly StageView[]): string {
  // The last one that has begun: transcription starts while the sound is still being read.
  const stage = running.at(-1);
  if (stage === undefined) return 'Waiting for a free worker';
  const isStudying = running.length > 1 && running.every(({ name }) => studyStages.has(name));
  return isStudying ? 'Making the study parts' : describeRunning(stage);
}

function describeRunning(stage: StageView): string {
  if (stage.cold === true && stage.progress === 0) return `${doing[stage.name]}: loading the model first`;
  return stage.progress > 0 ? `${doing[stage.name]}, ${toPercent(stage.progress)}` : doing[stage.name];
}

/** The few characters below a step's name. */
export function toStageText(stage: StageView, lectureHasEnded: boolean): string {
  switch (stage.status) {
    case 'waiting':
      return lectureHasEnded ? 'not begun' : 'waiting';
    case 'running':
      return stage.progress > 0 ? toPercent(stage.progress) : stage.cold === true ? 'loading' : 'begins';
    case 'done':
      return stage.seconds === null ? 'done' : toTaken(stage.seconds);
    case 'queued':
      return 'next';
    default:
      return stage.status;
  }
}

/** For the list of lectures: a word or two. */
export function toShortStatus(lecture: Lecture): string {
  switch (lecture.status) {
    case 'queued':
      return 'Waiting';
    case 'running':
      return toPercent(toOverallProgress(lecture.stages));
    case 'ready':
      return 'Ready';
    case 'partial':
      return 'Partly ready';
    case 'failed':
      return 'Failed';
    case 'cancelled':
      return 'Cancelled';
  }
}
