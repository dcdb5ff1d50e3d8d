import { testFaults } from './test-faults.ts';
import { workerScenarios } from './worker-scenarios.ts';

testFaults(workerScenarios);
