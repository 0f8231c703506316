import { readFileSync } from 'node:fs';

/**
 * The counts in a report of vitest's JSON reporter. A file that failed without a failed test (it does not compile, a
 * hook threw) counts as one failure: otherwise it would vanish from the line that people look at.
 * @param {{ testResults?: { status: string, assertionResults: { status: string }[] }[] }} report
 */
export function countTests(report) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const file of report.testResults ?? []) {
    const before = counts.failed;
    for (const { status } of file.assertionResults) {
      if (status === 'passed') counts.passed += 1;
      else if (status === 'failed') counts.failed += 1;
      else counts.skipped += 1;
    }
    if (file.status === 'failed' && counts.failed === before) counts.failed += 1;
  }
  return counts;
}

/** @param {ReturnType<typeof countTests>} counts */
export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/**
 * Prints the closing line of a report, and decides the exit code: vitest's, except that a report without a single
 * executed test is never green.
 * @param {string} file
 * @param {number} exitCode vitest's
 * @returns {number}
 */
export function closeReport(file, exitCode) {
  let counts;
  try {
    counts = countTests(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    process.stderr.write(`cannot count the tests: ${error instanceof Error ? error.message : error}\n`);
    return exitCode || 1;
  }
  const nothingRan = counts.passed + counts.failed === 0;
  if (nothingRan) process.stderr.write('cannot call this a test run: no test was executed\n');
  process.stdout.write(`${closingLine(counts)}\n`);
  return exitCode || (nothingRan ? 1 : 0);
}
