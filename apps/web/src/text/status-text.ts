import type { Lecture } from '@studymate/contracts/lecture';
import { stageShares } from '@studymate/contracts/stage-shares';
import type { StageName, StageView } from '@studymate/contracts/stages';
import { findStage, hasEnded } from '../state/lecture-state.ts';
import type { Messages } from './en.ts';
import { toAbout, toClock, toDay, toPercent, toTaken } from './format.ts';
import { toReason } from './problems.ts';

const studyStages: ReadonlySet<StageName> = new Set(['chapters', 'topics', 'summary', 'flashcards']);

/** Of all the work, 0 to 1. */
export function toOverallProgress(stages: readonly StageView[]): number {
  return stages.reduce(
    (sum, stage) => sum + stageShares[stage.name] * (stage.status === 'skipped' ? 1 : stage.progress),
    0,
  );
}

/** One line about where a lecture stands. @param options.hasShare how far the step is; not beside how far all of it is */
export function toStatusText(lecture: Lecture, m: Messages, { hasShare = true } = {}): string {
  const { etaSeconds, position } = lecture.queue;
  switch (lecture.status) {
    case 'queued': {
      const ahead = position === null ? m.status.waiting : position <= 1 ? m.status.next : m.status.ahead(position - 1);
      return etaSeconds === null ? ahead : m.status.readyIn(ahead, toAbout(etaSeconds, m));
    }
    case 'running': {
      const running = lecture.stages.filter((stage) => stage.status === 'running');
      const what = describeWork(running, m, hasShare);
      return etaSeconds === null ? what : m.status.left(what, toAbout(etaSeconds, m));
    }
    case 'failed': {
      const error = lecture.stages.find((stage) => stage.error !== undefined)?.error;
      return error === undefined ? m.status.failed : m.status.failedBecause(toReason(error, m.problems));
    }
    default:
      return m.status[lecture.status];
  }
}

function describeWork(running: readonly StageView[], m: Messages, hasShare: boolean): string {
  // The last one that has begun: transcription starts while the sound is still being read.
  const stage = running.at(-1);
  if (stage === undefined) return m.status.noWorker;
  const isStudying = running.length > 1 && running.every(({ name }) => studyStages.has(name));
  return isStudying ? m.status.studying : describeRunning(stage, m, hasShare);
}

function describeRunning(stage: StageView, m: Messages, hasShare: boolean): string {
  const doing = m.doing[stage.name];
  if (stage.cold === true && stage.progress === 0) return m.status.loadingModel(doing);
  return hasShare && stage.progress > 0 ? m.status.share(doing, toPercent(stage.progress)) : doing;
}

/** The few characters below a step's name. */
export function toStageText(stage: StageView, lectureHasEnded: boolean, m: Messages): string {
  const texts = m.stageStatus;
  switch (stage.status) {
    case 'waiting':
      return lectureHasEnded ? texts.notBegun : texts.waiting;
    case 'running':
      return stage.progress > 0 ? toPercent(stage.progress) : stage.cold === true ? texts.loading : texts.begins;
    case 'done':
      return stage.seconds === null ? texts.done : toTaken(stage.seconds, m);
    default:
      return texts[stage.status];
  }
}

/** For the list of lectures: a word or two. */
export function toShortStatus(lecture: Lecture, { status: texts }: Messages): string {
  switch (lecture.status) {
    case 'queued':
      return texts.waiting;
    case 'running':
      return toPercent(toOverallProgress(lecture.stages));
    case 'ready':
      return texts.ready;
    case 'partial':
      return texts.partialShort;
    case 'failed':
      return texts.failedShort;
    case 'cancelled':
      return texts.cancelled;
  }
}

/** Length, language and day, below a lecture's title. */
export function toMeta(lecture: Lecture, m: Messages, toLanguageName: (code: string) => string): string {
  const { durationSeconds, language, createdAt } = lecture;
  const parts = [
    durationSeconds === null ? null : toClock(durationSeconds),
    language === null ? null : toLanguageName(language),
    m.lecture.sentAt(toDay(createdAt, m)),
  ];
  return parts.filter((part) => part !== null).join(' · ');
}

/** What stands in the transcript's place as long as there is no text. */
export function toPlaceholder(lecture: Lecture, { lecture: texts }: Messages): string {
  if (lecture.status === 'failed') return texts.noTranscriptFailed;
  if (lecture.status === 'cancelled') return texts.noTranscriptCancelled;
  const isSilent = findStage(lecture, 'transcribe')?.status === 'skipped' || hasEnded(lecture);
  return isSilent ? texts.nobodySpeaks : texts.firstWords;
}

/** What a listener wants to be told; not every percentage. */
export function findNews(before: Lecture | null, after: Lecture, m: Messages): string | null {
  if (before === null) return null;
  if (before.status !== after.status) return toStatusText(after, m);
  const done = after.stages.filter(
    ({ name, status }) => status === 'done' && findStage(before, name)?.status !== 'done',
  );
  return done.length === 0 ? null : m.lecture.stageDone(done.map(({ name }) => m.stages[name]));
}

/** Why a study part is not there. */
export function whyMissing(lecture: Lecture, name: StageName, m: Messages): string {
  const stage = findStage(lecture, name);
  switch (stage?.status) {
    case 'failed':
      return m.parts.failed(stage.error && toReason(stage.error, m.problems));
    case 'skipped':
      return lecture.status === 'failed' ? m.parts.noTranscript : m.parts.nobodySpeaks;
    case 'cancelled':
      return m.parts.cancelled;
    case 'running':
    case 'queued':
      return m.parts.beingMade(m.stages[name]);
    default:
      return m.parts.later;
  }
}
