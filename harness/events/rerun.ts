import { shellQuote } from '../base/text.ts';
import { exactFile, exactName } from './exact.ts';
import { FILE_ITSELF, type TestName } from './identity.ts';
import { selectionWords } from './selection.ts';
import type { Selection, TestStep } from './types.ts';

/** A run, as far as its choice is concerned. */
interface Chosen {
  readonly matrix: { readonly name: string; readonly file?: string };
  readonly selection?: Selection;
}

/** A cell of it, with the tests that are known of it. */
interface ChosenCell {
  readonly name: string;
  readonly selection?: Selection;
  readonly tests?: readonly OfStep[];
}

type OfStep = TestName & { readonly step: TestStep };

/** The file under which a command is a test by its label. */
const COMMAND_FILE = 'command';
/** What could not be brought back of a command is a test of this name. */
const ARTIFACTS = 'artifacts';
/** Tests that a line names; of more it names the cells only. */
const MOST_NAMED = 3;

/**
 * The command that runs some cells of a run again, or just some tests of them. A run of before choices were noted has its
 * matrix only. The words are quoted for a POSIX shell, and no control character is among those that name tests.
 * @param tests what is to run; none: everything that ran in the cells.
 */
export function rerunCommand(run: Chosen, cells: readonly ChosenCell[], tests: readonly OfStep[] = []): string {
  const selection = cells[0]?.selection ?? run.selection ?? { matrix: run.matrix.file ?? run.matrix.name, options: {} };
  const names = cells.map(({ name }) => name);
  const just = optionsOfTests(tests, cells);
  const words = just
    ? selectionWords({ ...selection, options: { ...withoutTests(selection.options), ...just } }, { cells: names })
    : selectionWords(selection, { cells: names });
  // Names of cells are globs, and somebody may want to edit them: they are quoted whether they need it or not.
  const shown = words.map((word, index) => (words[index - 1] === '--only' ? `'${word}'` : shellQuote(word)));
  return ['npx harness run', ...shown].join(' ');
}

function withoutTests(options: Selection['options']): Selection['options'] {
  const { test: _test, file: _file, ...rest } = options;
  return rest;
}

/** The options that mean these tests, and no benchmarks unless one is among them; undefined where no test is named. */
function optionsOfTests(tests: readonly OfStep[], cells: readonly ChosenCell[]): Selection['options'] | undefined {
  if (tests.length === 0) return undefined;
  const known = cells.flatMap((cell) => cell.tests ?? []);
  const commands = tests.filter(({ step }) => step === 'tests');
  const files = [...new Set(tests.filter(({ step }) => step !== 'tests').map(({ file }) => file))];
  const bench = tests.some(({ step }) => step === 'benchmarks') ? {} : { bench: false };
  const everywhere = commands.some(({ file, name }) => file === COMMAND_FILE && name === ARTIFACTS);
  const names = [...new Set(tests.map((test) => wordOf(test, known, commands.length > 0)))];
  if (names.length > MOST_NAMED || files.length > MOST_NAMED || everywhere) return bench;
  // A file of which something is wrong as a whole has no test to name.
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
