import { findFaults, type MutantOutcome, runMutants } from './lib/mutants.ts';
import { median, quantile, round } from './lib/statistics.ts';

export const about = 'broken recordings through probe, decode and clip: what becomes of each [count, seed, at a time]';

const maxWallMs = 60_000;

function countBy(outcomes: readonly MutantOutcome[], of: 'lecture' | 'clip'): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) counts[outcome[of]] = (counts[outcome[of]] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).sort(([, a], [, b]) => b - a));
}

export async function run(args: string[], note: (text: string) => void) {
  const [count = 1000, seed = 1, concurrency = 4] = args.map(Number);
  let done = 0;
  const onOutcome = (outcome: MutantOutcome) => {
    done++;
    if (outcome.wallMs > 5000)
      note(`${outcome.name}: ${Math.round(outcome.wallMs)} ms, ${outcome.lecture}, ${outcome.clip}`);
    if (done % 100 === 0) note(`${done}/${count}`);
  };
  const startMs = performance.now();
  const { outcomes, processesLeft, filesLeft, maxRssGrowthMb } = await runMutants({
    seed,
    count,
    concurrency,
    onOutcome,
  });
  const containers = [...new Set(outcomes.map(({ container }) => container))].sort();
  const faults = findFaults(outcomes, maxWallMs);
  for (const fault of faults) note(JSON.stringify(fault));
  const wallMs = outcomes.map((outcome) => outcome.wallMs);
  return {
    count,
    seed,
    faults: faults.length,
    processesLeft: processesLeft.length,
    filesLeft: filesLeft.length,
    maxRssGrowthMb,
    lecture: countBy(outcomes, 'lecture'),
    clip: countBy(outcomes, 'clip'),
    lectureByContainer: Object.fromEntries(
      containers.map((container) => [
        container,
        countBy(
          outcomes.filter((o) => o.container === container),
          'lecture',
        ),
      ]),
    ),
    wallMsMedian: round(median(wallMs), 0),
    wallMsP99: round(quantile(wallMs, 0.99), 0),
    wallMsMax: round(Math.max(...wallMs), 0),
    totalSeconds: round((performance.now() - startMs) / 1000, 1),
  };
}
