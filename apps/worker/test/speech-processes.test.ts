import { expect, test } from 'vitest';
import { toMemoryLeft, toSpeechProcesses } from '../src/models.ts';

test.each([
  { cores: 2, threads: 0, speechProcesses: 0, count: 1 },
  { cores: 7, threads: 0, speechProcesses: 0, count: 1 },
  { cores: 16, threads: 0, speechProcesses: 0, count: 4 },
  { cores: 128, threads: 0, speechProcesses: 0, count: 8 },
  { cores: 4, threads: 2, speechProcesses: 0, count: 2 },
  { cores: 2, threads: 8, speechProcesses: 0, count: 1 },
  { cores: 2, threads: 0, speechProcesses: 3, count: 3 },
])('$cores cores, MODEL_THREADS=$threads, SPEECH_PROCESSES=$speechProcesses: $count', ({ cores, count, ...config }) => {
  expect(toSpeechProcesses(config, cores)).toBe(count);
});

test.each([
  { machine: 900, limit: null, used: [500, 100], left: 900 },
  { machine: 900, limit: 1000, used: [500, null], left: 500 },
  { machine: 300, limit: 1000, used: [500, null], left: 300 },
  { machine: 900, limit: 500, used: [500, 100], left: 0 },
  { machine: null, limit: 500, used: [null, 100], left: 400 },
  { machine: null, limit: null, used: [null], left: null },
])('$machine left of the machine, MODEL_MEMORY_BYTES=$limit, models with $used: $left', (given) => {
  const reports = given.used.map((memoryBytes) => ({ memoryBytes }));
  expect(toMemoryLeft(given.machine, given.limit, reports)).toBe(given.left);
});
