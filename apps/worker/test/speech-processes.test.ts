import { expect, test } from 'vitest';
import { toSpeechProcesses } from '../src/models.ts';

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
