/**
 * @typedef {{passed: number, failed: number, skipped: number, failures: string[]}} Outcome
 *   failures: what failed and why, for people; at least one entry for each that failed
 */

/** @returns {Outcome} of nothing at all */
export const noOutcome = () => ({ passed: 0, failed: 0, skipped: 0, failures: [] });

const maxReasonCharacters = 600;

/**
 * What a vitest JSON report says. A file that could not be run (it does not compile, a hook outside of tests threw)
 * counts as one failure more, since none of its tests says so.
 *
 * @param {{testResults: {name: string, status: string, message?: string,
 *   assertionResults: {status: string, fullName: string, failureMessages?: string[]}[]}[]}} report
 * @returns {Outcome}
 */
export function readReport(report) {
  const outcome = noOutcome();
  for (const file of report.testResults) {
    const failuresBefore = outcome.failed;
    for (const { status, fullName, failureMessages } of file.assertionResults) {
      if (status === 'passed') outcome.passed += 1;
      else if (status === 'failed') addFailure(outcome, `${file.name}: ${fullName}`, failureMessages?.join('\n'));
      else outcome.skipped += 1;
    }
    if (file.status === 'failed' && outcome.failed === failuresBefore) addFailure(outcome, file.name, file.message);
  }
  return outcome;
}

/** Counts one failure and keeps the beginning of its reason. */
export function addFailure(outcome, name, reason = '') {
  outcome.failed += 1;
  const shown = reason.trim().slice(0, maxReasonCharacters).replaceAll('\n', '\n    ');
  outcome.failures.push(shown === '' ? name : `${name}\n    ${shown}`);
}

/**
 * Adds what a report cannot show: a run that ended badly although no test failed (an error outside of tests, a crash, a
 * report that was never written) is a failure.
 *
 * @param {Outcome | null} outcome null: there is no report
 * @param {number} status exit status of the run
 * @param {string} run its name
 * @returns {Outcome}
 */
export function withStatus(outcome, status, run) {
  const known = outcome ?? noOutcome();
  if (outcome === null) addFailure(known, run, `It left no report and ended with ${status}.`);
  else if (status !== 0 && known.failed === 0) addFailure(known, run, `No test failed, but it ended with ${status}.`);
  return known;
}

/** @param {Outcome[]} outcomes @returns {Outcome} */
export function toSum(outcomes) {
  const sum = noOutcome();
  for (const { passed, failed, skipped, failures } of outcomes) {
    sum.passed += passed;
    sum.failed += failed;
    sum.skipped += skipped;
    sum.failures.push(...failures);
  }
  return sum;
}

/** What failed, each with its reason, and as the last line "12 passed, 0 failed", with ", 3 skipped" where there are any. */
export function toClosingLines({ passed, failed, skipped, failures }) {
  const closing = `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
  return [...failures.map((failure) => `✗ ${failure}`), closing].join('\n');
}
