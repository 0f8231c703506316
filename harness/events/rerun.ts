import { shellQuote } from '../base/text.ts';
import { exactFile, exactName } from './exact.ts';
import { FILE_ITSELF, type TestName } from './identity.ts';
import { selectionWords } from './selection.ts';
import type { Selection, TestStep } from './types.ts';

/** The part of a run that re-run commands need. */
interface Chosen {
  readonly matrix: { readonly name: string; readonly file?: string };
  readonly selection?: Selection;
}

/** A cell of it, with its known tests. */
interface ChosenCell {
  readonly name: string;
  readonly selection?: Selection;
  readonly tests?: readonly OfStep[];
}

type OfStep = TestName & { readonly step: TestStep };

/** The file name under which a command is a test of its label. */
const COMMAND_FILE = 'command';
/** The name of the test for artifacts that could not be copied back. */
const ARTIFACTS = 'artifacts';
/** The most tests that a command names; for more it names only the cells. */
const MOST_NAMED = 3;

/**
 * The command that re-runs some cells of a run, or just some tests of them. A run from before choices were recorded has
 * only its matrix. The words are quoted for a POSIX shell; names of tests contain no control characters.
 * @param tests the tests to run; none: everything that ran in the cells.
 */
export function rerunCommand(run: Chosen, cells: readonly ChosenCell[], tests: readonly OfStep[] = []): string {
  const selection = cells[0]?.selection ?? run.selection ?? { matrix: run.matrix.file ?? run.matrix.name, options: {} };
  const names = cells.map(({ name }) => name);
  const just = optionsOfTests(tests, cells);
  const words = just
    ? selectionWords({ ...selection, options: { ...withoutTests(selection.options), ...just } }, { cells: names })
    : selectionWords(selection, { cells: names });
  // Names of cells are globs, which somebody may want to edit, so they are always quoted.
  const shown = words.map((word, index) => (words[index - 1] === '--only' ? `'${word}'` : shellQuote(word)));
  return ['npx harness run', ...shown].join(' ');
}

function withoutTests(options: Selection['options']): Selection['options'] {
  const { test: _test, file: _file, ...rest } = options;
  return rest;
}

/** The options that select these tests, without benchmarks unless one is among them; undefined if no test is named. */
function optionsOfTests(tests: readonly OfStep[], cells: readonly ChosenCell[]): Selection['options'] | undefined {
  if (tests.length === 0) return undefined;
  const known = cells.flatMap((cell) => cell.tests ?? []);
  const commands = tests.filter(({ step }) => step === 'tests');
  const files = [...new Set(tests.filter(({ step }) => step !== 'tests').map(({ file }) => file))];
  const bench = tests.some(({ step }) => step === 'benchmarks') ? {} : { bench: false };
  const everywhere = commands.some(({ file, name }) => file === COMMAND_FILE && name === ARTIFACTS);
  const names = [...new Set(tests.map((test) => wordOf(test, known, commands.length > 0)))];
  if (names.length > MOST_NAMED || files.length > MOST_NAMED || everywhere) return bench;
  // A file that is wrong as a whole has no test to name.
  const whole = tests.some(({ name }) => name === FILE_ITSELF);
  return {
    // A command has no file.
    ...(commands.length === 0 ? { file: files.map((file) => exactFile(file, known)) } : {}),
    ...(whole ? {} : { test: names }),
    ...bench,
  };
}

function wordOf(test: OfStep, known: readonly OfStep[], anyFile: boolean): string {
  if (test.step === 'tests') {
    const labels = known.filter(({ step }) => step === 'tests').map(labelOfCommand);
    return exactName(labelOfCommand(test), labels);
  }
  const others = known.filter(({ file, step }) => step !== 'tests' && (anyFile || file === test.file));
  return exactName(
    test.name,
    others.map(({ name }) => name),
  );
}

/** The command that a test is of, as `--test` names it. */
export function labelOfCommand({ file, name }: TestName): string {
  return file === COMMAND_FILE ? name : file;
}
