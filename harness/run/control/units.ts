import { COMMAND_FILE } from '../../commands/judge.ts';
import { FILE_ITSELF, type TestName, testKey } from '../../events/identity.ts';
import type { TestResult } from '../../events/result.ts';
import type { ChosenTest } from '../../events/test-selection.ts';
import type { TestStep } from '../../events/types.ts';

/** Failed tests that are run again together. */
export interface Unit {
  readonly step: TestStep;
  /** The selection that is passed to the suite. */
  readonly only: readonly ChosenTest[];
  /** The tests whose results are wanted. */
  readonly tests: readonly TestName[];
}

/**
 * Groups failed tests into units that can be run again: a scenario or benchmark alone, with the set-up of its file; all
 * tests of a command together, with one run of the command.
 */
export function unitsOf(failed: readonly TestResult[]): Unit[] {
  const commands = Map.groupBy(
    failed.filter(({ step }) => step === 'tests'),
    commandOf,
  );
  const ofCommands = [...commands].map(
    ([label, tests]): Unit => ({
      step: 'tests',
      only: [{ file: COMMAND_FILE, test: label }],
      tests: tests.map(nameOf),
    }),
  );
  // Tests are selected by name, so tests with the same name run together.
  const scenarios = Map.groupBy(
    failed.filter(({ step }) => step !== 'tests'),
    ({ step, file, name }) => `${step} ${testKey({ file, name })}`,
  );
  const ofFiles = [...scenarios.values()].map((tests): Unit => {
    const { step, file, name } = tests[0]!;
    return { step, only: [name === FILE_ITSELF ? { file } : { file, test: name }], tests: tests.map(nameOf) };
  });
  return [...ofCommands, ...ofFiles];
}

/** The label of the command that a test belongs to. */
function commandOf({ file, name }: TestResult): string {
  return file === COMMAND_FILE ? name : file;
}

function nameOf({ file, name, nth }: TestName): TestName {
  return { file, name, ...(nth === undefined ? {} : { nth }) };
}
