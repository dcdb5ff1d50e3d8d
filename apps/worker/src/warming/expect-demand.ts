import { type HourlyUses, hourMs } from '@studymate/queue/demand-history';

/** A model is loaded so long before an hour in which it is expected to be used. */
export const leadMs = 5 * 60_000;
const daysLookedAt = 7;
/** The same hour of the same weekday says more than that of another day: as much as so many of those. */
const weekdayWeight = 2;
/** Uses in an hour from which on loading the model beforehand is worth its memory. */
const leastUses = 1;

const isWeekend = (atMs: number): boolean => [0, 6].includes(new Date(atMs).getDay());

/**
 * How many uses the hour of a moment will probably see: the mean of the same hour on the days of the last seven that are of
 * its kind, working days or weekends, by the process's time zone; the day a week before counts twice.
 */
export function expectUses(uses: HourlyUses, atMs: number): number {
  let sum = 0;
  let weights = 0;
  for (let days = 1; days <= daysLookedAt; days++) {
    const thenMs = atMs - days * 24 * hourMs;
    if (isWeekend(thenMs) !== isWeekend(atMs)) continue;
    const weight = days === daysLookedAt ? weekdayWeight : 1;
    sum += weight * (uses.get(Math.floor(thenMs / hourMs)) ?? 0);
    weights += weight;
  }
  return sum / weights;
}

/** Whether a model should be loaded although nobody asks for it: in an hour that usually needs it, and 5 minutes before. */
export function isToBeWarm(uses: HourlyUses, nowMs: number): boolean {
  return Math.max(expectUses(uses, nowMs), expectUses(uses, nowMs + leadMs)) >= leastUses;
}
