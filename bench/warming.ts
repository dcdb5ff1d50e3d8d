import { isToBeWarm } from '../apps/worker/src/warming/expect-demand.ts';
import { createRandom } from './lib/mutate.ts';
import { round } from './lib/statistics.ts';

export const about =
  'simulated weeks: how many requests find a model cold, and for how long it is loaded, by policy [seed]';

const minuteMs = 60_000;
const hourMs = 3_600_000;
const weeks = 5;
/** Memory of the speech process when it is ready, 0 threads at work; see docs/measurements.md. */
const loadedGigabytes = 0.45;

/** Requests an hour in a school: a rush at the beginning of lessons, some in the evening, hardly any at night. */
const workday = [0, 0, 0, 0, 0, 0, 0.1, 0.5, 4, 12, 8, 10, 3, 2, 9, 6, 3, 1, 0.5, 1, 1.5, 1, 0.3, 0.1];
const weekend = [0, 0, 0, 0, 0, 0, 0, 0, 0.1, 0.2, 0.5, 0.5, 0.3, 0.3, 0.5, 1, 0.7, 0.5, 0.3, 0.5, 1, 0.5, 0.2, 0];

/** Minutes with requests, at random (Poisson, at most one a minute), and none in one lesson of ten that is called off. */
function makeRequests(seed: number, startMs: number): number[] {
  const random = createRandom(seed);
  const chance = () => random(2 ** 30) / 2 ** 30;
  const times: number[] = [];
  for (let hour = startMs; hour < startMs + weeks * 7 * 24 * hourMs; hour += hourMs) {
    const date = new Date(hour);
    const rates = [0, 6].includes(date.getDay()) ? weekend : workday;
    const rate = (chance() < 0.1 ? 0 : 1) * (rates[date.getHours()] ?? 0);
    for (let minute = 0; minute < 60; minute++) {
      if (chance() < 1 - Math.exp(-rate / 60)) times.push(hour + minute * minuteMs + random(minuteMs));
    }
  }
  return times;
}

interface Policy {
  idleMs: number;
  isPredictive?: boolean;
}

/** Minute by minute; the first two weeks only teach. */
function simulate(requests: readonly number[], startMs: number, { idleMs, isPredictive = false }: Policy) {
  const uses = new Map<number, number>();
  const measuredFromMs = startMs + 2 * 7 * 24 * hourMs;
  const endMs = startMs + weeks * 7 * 24 * hourMs;
  let next = 0;
  let lastUseMs = Number.NEGATIVE_INFINITY;
  let cold = 0;
  let counted = 0;
  let loadedMinutes = 0;
  for (let nowMs = startMs; nowMs < endMs; nowMs += minuteMs) {
    const isHeld = isPredictive && isToBeWarm(uses, nowMs);
    // What is held goes after its time without use, counted from the end of the holding.
    if (isHeld) lastUseMs = Math.max(lastUseMs, nowMs);
    let isLoaded = isHeld || nowMs - lastUseMs < idleMs;
    for (; next < requests.length && (requests[next] as number) < nowMs + minuteMs; next++) {
      const atMs = requests[next] as number;
      if (atMs >= measuredFromMs) {
        counted++;
        if (!isHeld && atMs - lastUseMs >= idleMs) cold++;
      }
      uses.set(Math.floor(atMs / hourMs), (uses.get(Math.floor(atMs / hourMs)) ?? 0) + 1);
      lastUseMs = atMs;
      isLoaded = true;
    }
    if (isLoaded && nowMs >= measuredFromMs) loadedMinutes++;
  }
  const days = (endMs - measuredFromMs) / (24 * hourMs);
  return {
    coldShare: round(cold / counted),
    loadedHoursADay: round(loadedMinutes / 60 / days, 1),
    gigabyteHoursADay: round((loadedMinutes / 60 / days) * loadedGigabytes, 1),
    requests: counted,
  };
}

export async function run(args: string[]) {
  const startMs = new Date(2026, 0, 5).getTime();
  const requests = makeRequests(Number(args[0]) || 1, startMs);
  const of = (policy: Policy) => simulate(requests, startMs, policy);
  return {
    'MODEL_TTL_SECONDS=300': of({ idleMs: 300_000 }),
    'the same with PREDICTIVE_WARMING': of({ idleMs: 300_000, isPredictive: true }),
    'MODEL_TTL_SECONDS=3600': of({ idleMs: hourMs }),
    KEEP_WARM: of({ idleMs: Number.POSITIVE_INFINITY }),
  };
}
