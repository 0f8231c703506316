import { relative } from 'node:path';
import { firstLine } from '../../../reports/text.ts';
import { ConfigError } from '../../base/errors.ts';
import { cacheFolder, stateFolder } from '../../base/folders.ts';
import { expectedOneOf } from '../../base/nearest.ts';
import { version } from '../../base/package.ts';
import { quote } from '../../base/quote.ts';
import { formatDuration, printable } from '../../base/text.ts';
import { findProject } from '../../config/load/project.ts';
import { labelOf, testKey } from '../../events/identity.ts';
import { loadRun } from '../../events/load-run.ts';
import type { CellResult, RunResult, TestResult } from '../../events/result.ts';
import { optionsFor } from '../../events/selection.ts';
import type { ControlFinished } from '../../events/types.ts';
import { type CellOptions, type ChosenCells, providersWith } from '../../matrix/plan.ts';
import { type Explained, explainFailures } from '../../run/control/explain.ts';
import { chooseCells } from '../cells.ts';
import type { CliCommand } from '../command.ts';
import { interruptible } from '../interrupt.ts';
import { runFolderOf } from '../run-of.ts';

interface ExplainFlags {
  readonly run?: string;
  readonly qemu?: string;
  readonly machines?: string;
}

/** `harness explain CELL [TEST]`: re-runs failures of an earlier run, and says whose fault they are. */
async function explain(name: string, test: string | undefined, options: ExplainFlags): Promise<number> {
  const project = await findProject(process.cwd());
  const run = await loadRun(await runFolderOf(options.run ?? 'latest', project.root));
  const ran = run.cells.find((cell) => cell.name === name);
  if (!ran)
    throw new ConfigError(
      `${run.run} has no cell ${quote(name)}, ${expectedOneOf(run.cells.map((cell) => cell.name))}`,
    );
  const failed = failedIn(ran, test);
  const chosen = await choose(run, ran);
  const cell = chosen.cells.find((one) => one.name === name);
  if (!cell) throw new ConfigError(`the project has no cell ${quote(name)} any more`, { hint: 'harness list' });
  if (options.qemu !== undefined && cell.target !== 'vm')
    throw new ConfigError(`cannot try ${name} under another QEMU: no ${cell.target} target has one`, {
      hint: 'Leave --qemu out.',
    });
  const other = options.qemu === undefined ? undefined : await providersWith(options.qemu, chosen, options);
  const say = (message: string) => void process.stderr.write(`${printable(message)}\n`);
  return interruptible({ quiet: false }, async (signal) => {
    let tried = false;
    const explained = await explainFailures({
      ...{ cell, failed, matrix: chosen.matrix, project: chosen.project.root, providers: chosen.providers, signal },
      ...{ cache: cacheFolder(), state: stateFolder(), version, argv: process.argv.slice(2) },
      other,
      onEvent: (event) => {
        if (event.type !== 'control.started') return;
        // The second time where it failed is with the other build.
        const under = event.place === 'here' && tried ? ` with ${options.qemu}` : '';
        tried ||= event.place === 'here';
        say(`trying ${event.tests.length} again on ${event.on}${under}`);
      },
      onProgress: () => {},
    });
    for (const one of failed) process.stdout.write(`${linesOf(one, ran, run, explained, options.qemu).join('\n')}\n`);
    const folder = relative(process.cwd(), explained.folder);
    process.stdout.write(`\nConsoles and what was said: ${folder}\n`);
    if (signal.aborted) return 130;
    const answered = explained.here.every(({ verdict }) => verdict !== 'unknown');
    return answered ? 0 : 4;
  });
}

/** The tests to explain. @throws ConfigError if none of the chosen ones failed. */
function failedIn(cell: CellResult, test: string | undefined): TestResult[] {
  const bad = cell.tests.filter(({ verdict }) => verdict === 'failed' || verdict === 'infra' || verdict === 'emulator');
  const meant = test === undefined ? bad : bad.filter(({ name }) => name.includes(test));
  if (meant.length > 0) return meant;
  if (bad.length === 0)
    throw new ConfigError(
      `no test of ${cell.name} has failed: the cell is ${cell.verdict}${cell.reason ? `, ${cell.reason}` : ''}`,
    );
  throw new ConfigError(
    `no failed test of ${cell.name} is called ${quote(test!)}, ${expectedOneOf(bad.map((one) => one.name))}`,
  );
}

/** The cells among which this one was, as they were chosen then. */
async function choose(run: RunResult, cell: CellResult): Promise<ChosenCells> {
  const selection = cell.selection ?? run.selection;
  if (selection) return chooseCells(selection.matrix, optionsFor(selection, [cell.name]) as CellOptions);
  const { arch, target, suite, release } = cell;
  return chooseCells(run.matrix.file, {
    ...{ arch: [arch], target: [target], suite: [suite] },
    ...(release === undefined ? {} : { release: [release] }),
  });
}

function linesOf(
  test: TestResult,
  cell: CellResult,
  run: RunResult,
  explained: Explained,
  qemu: string | undefined,
): string[] {
  const of = (tries: readonly ControlFinished[]) => tries.find((one) => testKey(one) === testKey(test));
  const [here, there, other] = [of(explained.here), of(explained.there), of(explained.other)];
  const then = test.attempts.at(-1)?.errors[0]?.message ?? test.verdict;
  return [
    '',
    `${cell.name}  ${test.file}  ${labelOf(test)}`,
    `  in ${run.run}: ${test.verdict}: ${firstLine(then)}`,
    ...(here ? [`  ${trySentence('here, again', here)}`] : []),
    ...(there ? [`  ${trySentence(`on ${there.on}`, there)}`] : []),
    ...(other ? [`  ${trySentence(`with ${qemu}`, other)}`] : []),
    `  ${conclusion(cell, run, { here, there, other })}`,
  ].map(printable);
}

function trySentence(where: string, { verdict, reason, attempts, facts, durationMs }: ControlFinished): string {
  const said = reason ?? attempts.at(-1)?.errors[0]?.message;
  const on = facts?.emulator === undefined ? '' : ` (${facts.emulator})`;
  return `${where}${on}: ${verdict}${said ? `: ${firstLine(said)}` : ''}, after ${formatDuration(durationMs)}`;
}

/** Whose fault a failure is, in one sentence. */
function conclusion(
  { arch }: CellResult,
  { control }: RunResult,
  { here, there, other }: Partial<Record<'here' | 'there' | 'other', ControlFinished | undefined>>,
): string {
  if (here?.verdict === 'passed') return '→ It passes here now: it fails by chance.';
  if (here?.verdict === 'infra' || here?.verdict === 'emulator')
    return '→ The machine died: it is the emulator’s fault, or the infrastructure’s.';
  if (here?.verdict !== 'failed') return '→ It could not be run again, so nothing says whose fault it is.';
  if (other?.verdict === 'passed') return '→ It passes under the other QEMU: the cause is the emulator.';
  if (there?.verdict === 'failed')
    return `→ It fails on ${control} too: it is the test’s fault, or that of what it tests.`;
  if (there?.verdict === 'passed' && other?.verdict === 'failed')
    return `→ It passes on ${control}, and fails here under both builds of QEMU: the cause is ${arch}, more likely than an emulator.`;
  if (there?.verdict === 'passed')
    return `→ It passes on ${control} and fails again here: the cause is ${arch}, or what emulates it.`;
  if (arch === control)
    return '→ It fails again here, on the control architecture: it is the test’s fault, or that of what it tests.';
  return `→ It fails again here, and ${control} says nothing of it.`;
}

export const explainCommand: CliCommand = {
  name: 'explain',
  declare: (command) =>
    command
      .description('re-run failed tests of an earlier run, and say whose fault they are')
      .argument('<cell>', 'the name of a cell of that run')
      .argument('[test]', 'its full name, or a part of it; default: every failed test of the cell')
      .option('--run <run>', 'the name of a run, or a folder that holds events.jsonl', 'latest')
      .option('--qemu <path>', 'also try another build of QEMU: its binary, or the folder of its binaries')
      .option('--machines <file>', "the inventory; default: the project's machines.yaml")
      .addHelpText(
        'after',
        "\nExamples:\n  harness explain ppc64le/vm/web\n  harness explain ppc64le/vm/web 'serves the page' --qemu /opt/qemu-10/bin",
      ),
  act: explain,
};
