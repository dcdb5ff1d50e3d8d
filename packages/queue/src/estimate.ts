import { type ModelFamily, modelFamilies } from '@studymate/contracts/models';
import { stageShares } from '@studymate/contracts/stage-shares';
import { type StageName, type StageView, stageNames } from '@studymate/contracts/stages';
import type { ActiveLecture } from './active.ts';
import { firstSliceSeconds, lecturesAtOnce } from './job-catalogue.ts';

/** What there is to do, and how quick the workers have lately been. */
export interface Backlog {
  /** Every lecture that is not finished, in the order in which they were queued. */
  lectures: readonly ActiveLecture[];
  /** Workers that take lectures; null while that is not known (Redis is away). */
  workers: number | null;
  /** Seconds that a worker needs to transcribe a second of sound. */
  realTimeFactor: number;
  /** Seconds that loading each family will take; 0 when it is loaded. */
  loadSeconds: Readonly<Record<ModelFamily, number>>;
  /** Short requests that wait or are being answered; they go before lectures. */
  quickJobs: number;
  /** Seconds that a worker needs for one of them. */
  quickSeconds: number;
}

/** What is assumed while nothing is known. */
export const defaultBacklog: Backlog = {
  lectures: [],
  workers: null,
  realTimeFactor: 0.05,
  loadSeconds: { speech: 0, text: 0 },
  quickJobs: 0,
  quickSeconds: 1,
};

/** What each lecture takes however short it is: reading the file, writing, the steps from one job to the next. */
const fixedSeconds = 1;

/** The stages that need the models of a family. */
const stagesOfFamily: Readonly<Record<ModelFamily, readonly StageName[]>> = {
  speech: ['ingest', 'transcribe'],
  text: ['assemble', 'chapters', 'topics', 'summary', 'flashcards'],
};

export interface QueuePlace {
  /** Lectures on which nobody has begun and whose turn comes before this one's. */
  ahead: number;
  /** Seconds until it is ready; null while no worker is there, or nothing is known of them. */
  etaSeconds: number | null;
}

/**
 * Where a lecture stands, under fair shares between owners (fair-share.ts).
 *
 * Each owner who has something to do gets an equal part of all workers. Of a lecture that ends when its owner has been
 * given W seconds of work, every other owner has been given W as well, or all that he had; their sum is what is done
 * before it ends. This is the fluid model of A. Parekh and R. Gallager, "A generalized processor sharing approach to flow
 * control in integrated services networks", 1993; the real order differs from it by no more than one job of each owner.
 *
 * Among the lectures of one owner, chunks are worked on in the order in which they are cut, see `toOwnWork`.
 *
 * What comes later is not known: another owner's new lecture makes it later.
 */
export function toQueuePlace(
  lecture: { id: string; owner: string; leftSeconds: number; stages: readonly StageView[] },
  backlog: Backlog,
): QueuePlace {
  const isKnown = backlog.lectures.some(({ id }) => id === lecture.id);
  const lectures = isKnown ? backlog.lectures : [...backlog.lectures, { ...lecture, hasBegun: false }];
  /** Seconds of sound left of all lectures seen so far, by owner. */
  const work = new Map<string, number>();
  const others: { start: number; isEarlier: boolean }[] = [];
  const own: { id: string; leftSeconds: number }[] = [];
  let start: number | null = null;
  for (const { id, owner, leftSeconds, hasBegun } of lectures) {
    const before = work.get(owner) ?? 0;
    const isThis = id === lecture.id;
    const left = isThis ? lecture.leftSeconds : leftSeconds;
    work.set(owner, before + left);
    if (owner === lecture.owner) own.push({ id, leftSeconds: left });
    if (isThis) start = before;
    else if (!hasBegun) others.push({ start: before, isEarlier: start === null });
  }
  const mine = start ?? 0;
  // Of two whose turn comes at one moment, the one that was queued first is taken first.
  const ahead = others.filter((other) => other.start < mine || (other.start === mine && other.isEarlier)).length;
  if (!backlog.workers) return { ahead, etaSeconds: null };

  // Owners share also what is cut at a time.
  const atOnce = Math.max(1, Math.ceil((lecturesAtOnce * backlog.workers) / work.size));
  const ownWork = toOwnWork(lecture.id, own, atOnce);
  let soundSeconds = ownWork;
  for (const [owner, total] of work) if (owner !== lecture.owner) soundSeconds += Math.min(total, ownWork);
  const quickSeconds = backlog.quickJobs * backlog.quickSeconds;
  const workSeconds = soundSeconds * secondsOfWork(backlog) + quickSeconds;
  const seconds = workSeconds / backlog.workers + toLoadSeconds(lecture.stages, backlog) + fixedSeconds;
  return { ahead, etaSeconds: Math.round(seconds * 10) / 10 };
}

/**
 * Seconds of sound that are worked through of an owner's lectures until one of them is done. As many as the workers take
 * at once are cut side by side: a first slice of each, then the first of them to its end, and the next one comes in. What
 * was cut first is worked on first. So a short lecture waits for a slice of each long one before it, not for all of them.
 * @param lectures in the order in which they were queued
 */
function toOwnWork(
  lectureId: string,
  lectures: readonly { id: string; leftSeconds: number }[],
  atOnce: number,
): number {
  const begun: { id: string; leftSeconds: number }[] = [];
  let workSeconds = 0;
  for (const { id, leftSeconds } of lectures) {
    const slice = Math.min(leftSeconds, firstSliceSeconds);
    workSeconds += slice;
    if (slice < leftSeconds) begun.push({ id, leftSeconds: leftSeconds - slice });
    else if (id === lectureId) return workSeconds;
    const first = begun.length === atOnce ? begun.shift() : undefined;
    workSeconds += first?.leftSeconds ?? 0;
    if (first?.id === lectureId) return workSeconds;
  }
  for (const { id, leftSeconds } of begun) {
    workSeconds += leftSeconds;
    if (id === lectureId) break;
  }
  return workSeconds;
}

/**
 * Seconds until a lecture is likely to be finished, of one owner or of anybody: when there will be room for another one.
 * Null while no worker is there.
 */
export function toFreeSeconds(backlog: Backlog, owner?: string): number | null {
  const first = new Map<string, ActiveLecture>();
  for (const lecture of backlog.lectures) {
    if (!first.has(lecture.owner) && (owner === undefined || lecture.owner === owner))
      first.set(lecture.owner, lecture);
  }
  const [soonest] = [...first.values()].sort((a, b) => a.leftSeconds - b.leftSeconds);
  if (!soonest) return null;
  const stages = stageNames.map((name) => ({ ...openStage, name }));
  return toQueuePlace({ ...soonest, stages }, backlog).etaSeconds;
}

const openStage = { status: 'waiting', progress: 0, startedAt: null, seconds: null, cold: null } as const;

/**
 * Seconds that a worker needs for a second of sound, all stages together. Cutting goes on beside transcription, and has
 * slowed it down already where that was measured.
 */
export function secondsOfWork(backlog: Backlog): number {
  return backlog.realTimeFactor / (stageShares.ingest + stageShares.transcribe);
}

function toLoadSeconds(stages: readonly StageView[], backlog: Backlog): number {
  let seconds = 0;
  for (const family of modelFamilies) {
    const isNeeded = stages.some((stage) => stagesOfFamily[family].includes(stage.name) && isOpen(stage));
    if (isNeeded) seconds += backlog.loadSeconds[family];
  }
  return seconds;
}

function isOpen({ status }: StageView): boolean {
  return status === 'waiting' || status === 'queued' || status === 'running';
}
