/**
 * Adds up what was tested, for `tools/test`: prints "N passed, N failed[, N skipped]" and exits with 1 unless all is
 * well. A suite that left no result has failed as a whole.
 *
 *   node tools/test-summary.js CHECKS_PASSED CHECKS_FAILED VITEST_JSON…
 */
import { existsSync, readFileSync } from 'node:fs';

const [checksPassed, checksFailed, ...files] = process.argv.slice(2);
const total = { passed: Number(checksPassed), failed: Number(checksFailed), skipped: 0 };

for (const file of files) {
  if (!existsSync(file)) {
    total.failed += 1;
    continue;
  }
  const result = JSON.parse(readFileSync(file, 'utf8'));
  total.passed += result.numPassedTests;
  total.skipped += result.numPendingTests + result.numTodoTests;
  // A file that cannot even be loaded has no failed test, but the run has not succeeded.
  total.failed += result.numFailedTests > 0 || result.success ? result.numFailedTests : 1;
}

const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
process.exitCode = total.failed === 0 ? 0 : 1;
