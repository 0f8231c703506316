import { COMMAND_FILE } from '../../commands/judge.ts';
import { FILE_ITSELF, type TestName, testKey } from '../../events/identity.ts';
import type { TestResult } from '../../events/result.ts';
import type { ChosenTest } from '../../events/test-selection.ts';
import type { TestStep } from '../../events/types.ts';

/** What is run in one go to try failed tests again. */
export interface Unit {
  readonly step: TestStep;
  /** What a suite is asked for. */
  readonly only: readonly ChosenTest[];
  /** The tests whose result is wanted. */
  readonly tests: readonly TestName[];
}

/**
 * Failed tests as they can be run again: a scenario or a benchmark by itself, with the set-up of its file; tests of a
 * command with the whole command, which runs once for all of them.
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
  // Tests of one name run together, for nothing but their name can be asked for.
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

/** The label of the command that a test is of. */
function commandOf({ file, name }: TestResult): string {
  return file === COMMAND_FILE ? name : file;
}

function nameOf({ file, name, nth }: TestName): TestName {
  return { file, name, ...(nth === undefined ? {} : { nth }) };
}
