import { type StageView, stageNames } from '@studymate/contracts/stages';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ActiveLecture } from '../src/active.ts';
import { type Backlog, defaultBacklog, secondsOfWork, toQueuePlace } from '../src/estimate.ts';
import { firstSliceSeconds, lecturesAtOnce } from '../src/job-catalogue.ts';
import { toDurationSeconds, toLeftSeconds } from '../src/work.ts';
import { lectureRecord } from './lecture-fixtures.ts';

const waiting: StageView[] = stageNames.map((name) => ({
  name,
  status: 'waiting',
  progress: 0,
  startedAt: null,
  seconds: null,
  cold: null,
}));

const lectureOf = (id: string, owner: string, leftSeconds: number, hasBegun = false): ActiveLecture => ({
  id,
  owner,
  leftSeconds,
  hasBegun,
});

const backlogOf = (lectures: ActiveLecture[], changes: Partial<Backlog> = {}): Backlog => ({
  ...defaultBacklog,
  workers: 1,
  lectures,
  ...changes,
});

const placeOf = (lecture: ActiveLecture, backlog: Backlog) => toQueuePlace({ ...lecture, stages: waiting }, backlog);

describe('the place of a lecture', () => {
  test('among those of one owner is the order in which they were queued, without those that have begun', () => {
    const lectures = [lectureOf('a', 'ada', 600, true), lectureOf('b', 'ada', 600), lectureOf('c', 'ada', 600)];
    expect(lectures.map((lecture) => placeOf(lecture, backlogOf(lectures)).ahead)).toEqual([0, 0, 1]);
  });

  test("does not stand behind another owner's hundred lectures", () => {
    const many = Array.from({ length: 100 }, (_, i) => lectureOf(`a${i}`, 'ada', 600));
    const mine = lectureOf('b', 'bob', 600);
    const backlog = backlogOf([...many, mine]);
    expect(placeOf(mine, backlog).ahead).toBe(1);
    expect(placeOf(many[99] as ActiveLecture, backlog).ahead).toBe(100);
  });

  test('of a lecture that is not on the list yet is after all of its owner', () => {
    const lectures = [lectureOf('a', 'ada', 600), lectureOf('b', 'bob', 6_000)];
    expect(placeOf(lectureOf('new', 'ada', 60), backlogOf(lectures)).ahead).toBe(2);
  });
});

const chunkSeconds = 120;
/** Cutting is so much quicker than transcribing (`stageShares`). */
const cuttingRate = 7;

/**
 * What really happens, chunk by chunk: each worker has a few lectures at a time, taken in the order of the owners' shares,
 * and cuts a slice of each and then the one that came first; a chunk that has been cut gets its owner's next tag, and the
 * smallest tag is transcribed next.
 * @returns seconds of sound that were worked through when each lecture was done
 */
function simulate(lectures: readonly ActiveLecture[], workers: number): Map<string, number> {
  const waiting = [...lectures];
  const cutting: { lecture: ActiveLecture; cutSeconds: number; queued: number }[] = [];
  const chunks: { id: string; owner: string; seconds: number; tag: number; isLast: boolean }[] = [];
  const finish = new Map<string, number>();
  const begun = new Map<string, number>();
  const done = new Map<string, number>();
  let clock = 0;
  const beginNext = () => {
    // The owner who has had least of the cutting comes next.
    const least = Math.min(...waiting.map(({ owner }) => begun.get(owner) ?? 0));
    const at = waiting.findIndex(({ owner }) => (begun.get(owner) ?? 0) === least);
    const [lecture] = waiting.splice(at, 1);
    if (!lecture) return;
    begun.set(lecture.owner, least + lecture.leftSeconds);
    cutting.push({ lecture, cutSeconds: 0, queued: 0 });
  };
  const cut = (seconds: number) => {
    while (waiting.length > 0 && cutting.length < lecturesAtOnce * workers) beginNext();
    const inSlice = cutting.find(({ cutSeconds }) => cutSeconds < firstSliceSeconds);
    const one = inSlice ?? cutting.toSorted((a, b) => lectures.indexOf(a.lecture) - lectures.indexOf(b.lecture))[0];
    if (one) {
      const { id, owner, leftSeconds } = one.lecture;
      const end = Math.min(leftSeconds, inSlice ? firstSliceSeconds : leftSeconds);
      const size = Math.min(seconds, end - one.cutSeconds);
      one.cutSeconds += size;
      const isWhole = one.cutSeconds === leftSeconds;
      while (one.cutSeconds - one.queued >= chunkSeconds || (isWhole && one.queued < leftSeconds)) {
        const chunk = Math.min(chunkSeconds, leftSeconds - one.queued);
        one.queued += chunk;
        const now = chunks.length === 0 ? 0 : Math.min(...chunks.map(({ tag }) => tag));
        const tag = Math.max(now, finish.get(owner) ?? 0);
        finish.set(owner, tag + chunk);
        chunks.push({ id, owner, seconds: chunk, tag, isLast: one.queued >= leftSeconds });
      }
      if (isWhole) cutting.splice(cutting.indexOf(one), 1);
      if (seconds > size) cut(seconds - size);
    }
  };
  while (done.size < lectures.length) {
    const next = chunks.reduce<(typeof chunks)[number] | undefined>((a, b) => (a && a.tag <= b.tag ? a : b), undefined);
    if (next) {
      chunks.splice(chunks.indexOf(next), 1);
      clock += next.seconds;
      if (next.isLast) done.set(next.id, clock);
    }
    cut((next?.seconds ?? chunkSeconds / cuttingRate) * cuttingRate);
  }
  return done;
}

describe('the estimate', () => {
  test('is near what a simulated queue does, for any owners and lengths', () => {
    const anyLecture = fc.record({
      owner: fc.constantFrom('ada', 'bob', 'carl'),
      seconds: fc.integer({ min: 60, max: 7_200 }),
    });
    const cases = fc.sample(fc.array(anyLecture, { minLength: 1, maxLength: 12 }), { numRuns: 300, seed: 1 });
    const errors: number[] = [];
    for (const drawn of cases) {
      const lectures = drawn.map(({ owner, seconds }, i) => lectureOf(`l${i}`, owner, seconds));
      const backlog = backlogOf(lectures);
      const done = simulate(lectures, 1);
      const fixed = placeOf(lectureOf('none', 'nobody', 0), { ...backlog, lectures: [] }).etaSeconds ?? Number.NaN;
      for (const lecture of lectures) {
        const eta = ((placeOf(lecture, backlog).etaSeconds ?? Number.NaN) - fixed) / secondsOfWork(backlog);
        const really = done.get(lecture.id) ?? Number.NaN;
        errors.push(Math.abs(eta - really) / really);
      }
    }
    const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
    errors.sort((a, b) => a - b);
    // A very short lecture behind very long ones is what it is worst at: it comes in when one of them has been cut.
    expect(mean).toBeLessThan(0.1);
    expect(errors[Math.floor(errors.length * 0.9)]).toBeLessThan(0.2);
  });

  test('says nothing while no worker is there', () => {
    const lecture = lectureOf('a', 'ada', 600);
    expect(placeOf(lecture, backlogOf([lecture], { workers: 0 })).etaSeconds).toBeNull();
    expect(placeOf(lecture, defaultBacklog).etaSeconds).toBeNull();
  });

  test('adds the load of a cold model only where a stage still needs it', () => {
    const lecture = lectureOf('a', 'ada', 600);
    const warm = backlogOf([lecture]);
    const cold = backlogOf([lecture], { loadSeconds: { speech: 2, text: 1 } });
    const etaOf = (backlog: Backlog, stages: StageView[]) =>
      toQueuePlace({ ...lecture, stages }, backlog).etaSeconds ?? Number.NaN;
    expect(etaOf(cold, waiting) - etaOf(warm, waiting)).toBeCloseTo(3, 5);
    const transcribed = waiting.map((stage, i) => (i < 2 ? { ...stage, status: 'done' as const, progress: 1 } : stage));
    expect(etaOf(cold, transcribed) - etaOf(warm, transcribed)).toBeCloseTo(1, 5);
  });

  test('adds short requests, which go first, and shares them among the workers', () => {
    const lecture = lectureOf('a', 'ada', 600);
    const etaOf = (changes: Partial<Backlog>) =>
      placeOf(lecture, backlogOf([lecture], changes)).etaSeconds ?? Number.NaN;
    expect(etaOf({ quickJobs: 10, quickSeconds: 2 }) - etaOf({})).toBeCloseTo(20, 5);
    expect(etaOf({ quickJobs: 10, quickSeconds: 2, workers: 2 }) - etaOf({ workers: 2 })).toBeCloseTo(10, 5);
  });
});

describe('what is left of a lecture', () => {
  test('shrinks with the progress of its stages, and is nothing once they have ended', () => {
    expect(toLeftSeconds(1_000, waiting)).toBeCloseTo(1_000, 5);
    const half = waiting.map((stage) => (stage.name === 'transcribe' ? { ...stage, progress: 0.5 } : stage));
    expect(toLeftSeconds(1_000, half)).toBeCloseTo(600, 5);
    expect(
      toLeftSeconds(
        1_000,
        waiting.map((stage) => ({ ...stage, status: 'skipped' as const })),
      ),
    ).toBe(0);
  });

  test('is guessed from the size of the file until its length is known, within bounds', () => {
    const media = (bytes: number, contentType: string) => ({ ...lectureRecord().media, bytes, contentType });
    const guess = (bytes: number, type: string) =>
      toDurationSeconds({ durationSeconds: null, media: media(bytes, type) });
    expect(guess(57_600_000, 'audio/mpeg')).toBe(3_600);
    expect(guess(57_600_000, 'audio/wav')).toBeLessThan(guess(57_600_000, 'audio/flac'));
    expect(guess(1, 'audio/mpeg')).toBe(10);
    expect(guess(4 * 2 ** 30, 'video/mp4')).toBe(14_400);
    expect(toDurationSeconds({ durationSeconds: 42, media: media(1, 'audio/mpeg') })).toBe(42);
  });
});
