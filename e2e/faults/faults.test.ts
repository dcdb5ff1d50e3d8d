import { afterAll, expect, test } from 'vitest';
import { createFaultLab } from './fault-lab.ts';
import { scenarios } from './scenarios.ts';

const rounds = Number(process.env.FAULT_ROUNDS ?? 1);
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
