import { expect, test } from 'vitest';
import { readReport, toClosingLines, toSum, withStatus } from '../lib/test-report.mjs';

const testOf = (status: string) => ({
  status,
  fullName: `a test that ${status}`,
  failureMessages: status === 'failed' ? ['Error: expected 1\n    at here'] : [],
});
const fileOf = (name: string, status: string, tests: string[], message = '') => ({
  name,
  status,
  message,
  assertionResults: tests.map(testOf),
});
const passed = { passed: 5, failed: 0, skipped: 0, failures: [] };

test('a file that could not be run counts as one failure, a file with failing tests as those, each with its reason', () => {
  const testResults = [
    fileOf('a.test.ts', 'passed', ['passed', 'pending', 'todo']),
    fileOf('b.test.ts', 'failed', [], 'does not compile'),
    fileOf('c.test.ts', 'failed', ['passed', 'failed']),
  ];
  expect(readReport({ testResults })).toEqual({
    passed: 2,
    failed: 2,
    skipped: 2,
    failures: [
      'b.test.ts\n    does not compile',
      'c.test.ts: a test that failed\n    Error: expected 1\n        at here',
    ],
  });
});

test('a run that ends badly without a failing test, or without a report, is a failure', () => {
  expect(withStatus(structuredClone(passed), 1, 'npm test')).toMatchObject({
    failed: 1,
    failures: [expect.stringContaining('ended with 1')],
  });
  expect(withStatus({ ...passed, failed: 2, failures: ['a', 'b'] }, 1, 'npm test').failed).toBe(2);
  expect(withStatus(null, 0, 'npm test').failed).toBe(1);
  expect(withStatus(structuredClone(passed), 0, 'npm test')).toEqual(passed);
});

test('the closing line is the last one, below all that failed; skipped tests are named where there are any', () => {
  const failed = { passed: 12, failed: 2, skipped: 4, failures: ['one\n    why', 'two'] };
  expect(toClosingLines(toSum([passed, failed]))).toBe('✗ one\n    why\n✗ two\n17 passed, 2 failed, 4 skipped');
  expect(toClosingLines({ ...passed, passed: 1 })).toBe('1 passed, 0 failed');
});
