import { createFaultLab } from '../e2e/faults/fault-lab.ts';
import type { RoundOutcome, Scenario } from '../e2e/faults/scenario.ts';
import { scenarios } from '../e2e/faults/scenarios.ts';
import { quantile, round } from './lib/statistics.ts';

export const about =
  'what becomes of lectures when things die: recovery, lost, doubled, leaked [--rounds 10] [--only NAME[,NAME…]]';

interface Row {
  fault: string;
  rounds: number;
  recoverySecondsP50: number | null;
  recoverySecondsP95: number | null;
  lost: number;
  doubled: number;
  leaked: number;
  /** Rounds that could not be carried to their end; they are in `problems`. */
  broken: number;
  problems: string[];
}

function option(args: string[], name: string): string | undefined {
  const at = args.indexOf(name);
  return at === -1 ? undefined : args[at + 1];
}

export async function run(args: string[], note: (text: string) => void) {
  const rounds = Number(option(args, '--rounds') ?? 10);
  const only = option(args, '--only')?.split(',');
  const chosen = scenarios.filter((scenario) => !only || only.some((name) => scenario.name.startsWith(name)));
  if (chosen.length === 0) throw new Error(`none of the scenarios: ${scenarios.map(({ name }) => name).join(' ')}`);
  const lab = createFaultLab({ redisDownSeconds: 30 });
  const rows: Record<string, Row> = {};
  try {
    for (const scenario of chosen) {
      rows[scenario.name] = await repeat(lab.play, scenario, rounds, note);
    }
  } finally {
    await lab.close();
  }
  return { scenarios: rows, markdown: `\n${toMarkdown(rows)}` };
}

async function repeat(
  play: (scenario: Scenario, index: number) => Promise<RoundOutcome>,
  scenario: Scenario,
  rounds: number,
  note: (text: string) => void,
): Promise<Row> {
  const outcomes: RoundOutcome[] = [];
  const problems: string[] = [];
  for (let i = 0; i < rounds; i++) {
    try {
      const outcome = await play(scenario, i);
      outcomes.push(outcome);
      const { lost, doubled, leaked, recoverySeconds } = outcome;
      problems.push(...lost, ...doubled, ...leaked);
      note(`${scenario.name} ${i + 1}/${rounds}: ${recoverySeconds?.toFixed(1) ?? '–'} s ${problems.join('; ')}`);
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
      note(`${scenario.name} ${i + 1}/${rounds}: ${problems.at(-1)}`);
    }
  }
  const seconds = outcomes.flatMap((outcome) => outcome.recoverySeconds ?? []);
  const count = (kind: 'lost' | 'doubled' | 'leaked') => outcomes.reduce((sum, each) => sum + each[kind].length, 0);
  return {
    fault: scenario.fault,
    rounds,
    recoverySecondsP50: seconds.length === 0 ? null : round(quantile(seconds, 0.5), 1),
    recoverySecondsP95: seconds.length === 0 ? null : round(quantile(seconds, 0.95), 1),
    lost: count('lost'),
    doubled: count('doubled'),
    leaked: count('leaked'),
    broken: rounds - outcomes.length,
    problems,
  };
}

/** The table of docs/reliability.md. */
function toMarkdown(rows: Record<string, Row>): string {
  const head = '| scenario | fault | rounds | p50 | p95 | lost | doubled | leaked |\n|---|---|---|---|---|---|---|---|';
  const seconds = (value: number | null) => (value === null ? '' : `${value} s`);
  const lines = Object.entries(rows).map(([name, row]) => {
    const cells = [`\`${name}\``, row.fault, row.rounds, seconds(row.recoverySecondsP50)];
    return `| ${[...cells, seconds(row.recoverySecondsP95), row.lost, row.doubled, row.leaked].join(' | ')} |`;
  });
  return [head, ...lines].join('\n');
}
