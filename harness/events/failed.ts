import { FILE_ITSELF } from './identity.ts';
import { labelOfCommand } from './rerun.ts';
import type { CellResult, TestResult } from './result.ts';
import type { ChosenTest, TestSelection } from './test-selection.ts';
import { isBad, type Verdict } from './verdicts.ts';

/** Not green: bad or flaky. Skipped and unsupported tests are neither. */
export function isRed({ verdict }: { readonly verdict: Verdict }): boolean {
  return isBad({ verdict }) || verdict === 'flaky';
}

/**
 * The tests of a cell that were not green; undefined if the problem was more than tests: a machine was lost, a stack
 * did not come up, a process ended before it had read all files.
 */
export function failedTests(cell: CellResult): TestSelection | undefined {
  const tests = cell.tests.filter(isRed);
  const others = !['failed', 'flaky'].includes(cell.verdict) || cell.steps.some(({ error }) => error !== undefined);
  if (others || tests.length === 0) return undefined;
  const only = new Map(tests.map((test) => [JSON.stringify(chosen(test)), chosen(test)]));
  return { only: [...only.values()], steps: [...new Set(tests.map(({ step }) => step))] };
}

function chosen({ step, file, name }: TestResult): ChosenTest {
  // A command runs as a whole, whichever of its tests failed; for missing artifacts all commands do.
  if (step === 'tests') {
    const label = labelOfCommand({ file, name });
    return label === 'artifacts' ? { file: 'command' } : { file: 'command', test: label };
  }
  return name === FILE_ITSELF ? { file } : { file, test: name };
}
