import { apiScenarios } from './api-scenarios.ts';
import { childScenarios } from './child-scenarios.ts';
import { redisScenarios } from './redis-scenarios.ts';
import { testFaults } from './test-faults.ts';

testFaults([...childScenarios, ...redisScenarios, ...apiScenarios]);
