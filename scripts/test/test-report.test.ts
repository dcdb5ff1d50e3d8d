import { expect, test } from 'vitest';
import { countTests, parseClosingLine, toClosingLine, withOutcome } from '../lib/test-report.mjs';

const file = (status: string, ...tests: string[]) => ({ status, assertionResults: tests.map((s) => ({ status: s })) });

test('a file that could not be run counts as one failure, a file with failing tests as those', () => {
  const testResults = [file('passed', 'passed', 'pending', 'todo'), file('failed'), file('failed', 'passed', 'failed')];
  expect(countTests({ testResults })).toEqual({ passed: 2, failed: 2, skipped: 2 });
});

test('a run that ends badly without a failing test, or without a report, is a failure', () => {
  expect(withOutcome({ passed: 5, failed: 0, skipped: 0 }, 1).failed).toBe(1);
  expect(withOutcome({ passed: 5, failed: 2, skipped: 0 }, 1).failed).toBe(2);
  expect(withOutcome(null, 0).failed).toBe(1);
  expect(withOutcome({ passed: 5, failed: 0, skipped: 0 }, 0).failed).toBe(0);
});

test('the closing line is read back as it was written, and only at the end', () => {
  const counts = { passed: 12, failed: 3, skipped: 4 };
  expect(parseClosingLine(`noise\n${toClosingLine(counts)}\n`)).toEqual(counts);
  expect(toClosingLine({ passed: 1, failed: 0, skipped: 0 })).toBe('1 passed, 0 failed');
  expect(parseClosingLine('1 passed, 0 failed\ncrashed')).toBeNull();
});
