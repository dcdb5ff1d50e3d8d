/**
 * Counts of a vitest JSON report. A file that could not be run (it does not compile, a hook outside of tests threw)
 * counts as one failure more, since none of its tests says so.
 *
 * @param {{testResults: {status: string, assertionResults: {status: string}[]}[]}} report
 * @returns {{passed: number, failed: number, skipped: number}}
 */
export function countTests(report) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const file of report.testResults) {
    let failedHere = 0;
    for (const { status } of file.assertionResults) {
      if (status === 'passed') counts.passed += 1;
      else if (status === 'failed') failedHere += 1;
      else counts.skipped += 1;
    }
    if (file.status === 'failed' && failedHere === 0) failedHere = 1;
    counts.failed += failedHere;
  }
  return counts;
}

/**
 * Adds what the counts cannot show: a run that ended badly although no test failed (an error outside of tests, a
 * crash, a report that was never written) is a failure.
 *
 * @param {{passed: number, failed: number, skipped: number} | null} counts null: there is no report
 * @param {number} status exit status of the run
 */
export function withOutcome(counts, status) {
  const known = counts ?? { passed: 0, failed: 0, skipped: 0 };
  const crashed = counts === null || (status !== 0 && known.failed === 0);
  return crashed ? { ...known, failed: known.failed + 1 } : known;
}

/** "12 passed, 0 failed", and ", 3 skipped" where there are any. */
export function toClosingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}

/** The counts of a closing line, or null where the text does not end with one. */
export function parseClosingLine(text) {
  const found = /(?:^|\n)(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$/.exec(text);
  if (found === null) return null;
  return { passed: Number(found[1]), failed: Number(found[2]), skipped: Number(found[3] ?? 0) };
}
