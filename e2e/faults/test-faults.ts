import { afterAll, expect, test } from 'vitest';
import { createFaultLab } from './fault-lab.ts';
import type { Scenario } from './scenario.ts';

const rounds = Number(process.env.FAULT_ROUNDS ?? 1);

/** Makes a test of each scenario, one after the other on one system of their own. */
export function testFaults(scenarios: readonly Scenario[]): void {
  const lab = createFaultLab({ redisDownSeconds: 4 });
  afterAll(() => lab.close());

  for (const scenario of scenarios.filter((each) => !each.isBenchmarkOnly)) {
    test(`${scenario.fault}: nothing is lost, doubled or left behind`, { timeout: rounds * 600_000 }, async () => {
      for (let i = 0; i < rounds; i++) {
        const { recoverySeconds, ...findings } = await lab.play(scenario, i);
        console.log(`${scenario.name}: next progress after ${recoverySeconds?.toFixed(1) ?? '–'} s`);
        expect(findings).toEqual({ lost: [], doubled: [], leaked: [] });
      }
    });
  }
}
