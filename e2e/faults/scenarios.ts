import { apiScenarios } from './api-scenarios.ts';
import { childScenarios } from './child-scenarios.ts';
import { redisScenarios } from './redis-scenarios.ts';
import type { Scenario } from './scenario.ts';
import { workerScenarios } from './worker-scenarios.ts';

/** In the order of the table in docs/reliability.md. */
export const scenarios: readonly Scenario[] = [
  ...workerScenarios,
  ...childScenarios,
  ...redisScenarios,
  ...apiScenarios,
];
