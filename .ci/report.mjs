/** Reads the runner's JSON reports: `files` prints files that broke before their first result, `totals` the sums. */

import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const [mode, ...paths] = process.argv.slice(2);
const reports = paths.map((path) => {
  const text = readFileSync(path, 'utf8');
  return text === '' ? undefined : JSON.parse(text);
});
const isFailed = ({ status }) => status === 'failed';

/** A worker that a signal ended leaves tests without a result, or no tests at all, and none that failed. */
const brokenIn = (report) =>
  report.testResults.filter((file) => isFailed(file) && !file.assertionResults.some(isFailed));

if (mode === 'files') {
  const [report] = reports;
  const broken = report ? brokenIn(report) : [];
  // Where a test failed, a second run would only hide it.
  if (report && report.numFailedTests === 0)
    console.log(broken.map(({ name }) => relative(process.cwd(), name)).join('\n'));
} else {
  const [first, again] = reports;
  const passed = (first?.numPassedTests ?? 0) + (again?.numPassedTests ?? 0);
  // What broke in the first run counts by its second one.
  const broken = again ? brokenIn(again).length : first ? brokenIn(first).length : 1;
  const twice = again
    ? brokenIn(first).flatMap(({ assertionResults }) =>
        assertionResults.filter(({ status }) => status === 'passed'),
      ).length
    : 0;
  const failed = (first?.numFailedTests ?? 0) + (again?.numFailedTests ?? 0) + broken;
  console.log(`${passed - twice} passed, ${failed} failed`);
}
