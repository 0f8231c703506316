import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { parseCellName } from '../../base/cell-name.ts';
import { ConfigError } from '../../base/errors.ts';
import { makeFolder } from '../../base/files.ts';
import { cacheFolder, stateFolder } from '../../base/folders.ts';
import { didYouMean, expectedOneOf } from '../../base/nearest.ts';
import { version } from '../../base/package.ts';
import { quote } from '../../base/quote.ts';
import { printable, some } from '../../base/text.ts';
import { findProject } from '../../config/load/project.ts';
import { isStop } from '../../events/chosen.ts';
import { loadRun } from '../../events/load-run.ts';
import type { CellResult } from '../../events/result.ts';
import { optionsFor } from '../../events/selection.ts';
import type { Cell } from '../../matrix/cell.ts';
import { nodesOf } from '../../matrix/nodes.ts';
import type { CellOptions, ChosenCells } from '../../matrix/plan.ts';
import { startForwardProxy } from '../../net/forward-proxy.ts';
import { cellFolder } from '../../run/cell/context.ts';
import { openCell } from '../../run/cell/open-cell.ts';
import { type AtTest, lookAtTest } from '../../run/control/at-test.ts';
import { runsFolder } from '../../run/schedule/run.ts';
import { HANDLE_FILE } from '../../targets/handle.ts';
import { reconnect } from '../../targets/reconnect.ts';
import type { Target } from '../../targets/target.ts';
import { chooseCells } from '../cells.ts';
import type { CliCommand } from '../command.ts';

interface Options {
  readonly node?: string;
  readonly at?: string;
  readonly here?: boolean;
}

/**
 * `harness shell CELL`: a shell in the guest that a run kept, else in a new one that is released afterwards, with
 * `--at` as a test of it finds it; in a cluster on the machine that `--node` names, or the first. With `--here` a shell on this
 * host, whose programs reach what the machine does by its proxy.
 */
async function shell(name: string, command: string[], { node, at, here = false }: Options): Promise<number> {
  const enter = here ? enterByProxy : enterMachine;
  const project = await findProject(process.cwd());
  const kept = at === undefined ? await keptTarget(join(runsFolder(project.root), 'latest'), name, node) : undefined;
  if (kept) return enter(kept, command);
  const { matrix, cells, providers, ran } = await choose(project.root, name);
  const cell = cells.find((one) => one.name === name);
  if (!cell)
    throw new ConfigError(`unknown cell "${name}", expected one of ${cells.map((one) => one.name).join(', ')}`, {
      hint: 'harness list shows every cell',
    });
  const say = (message: string) => void process.stderr.write(`${name}: ${printable(message)}\n`);
  if (at !== undefined) {
    if (node !== undefined && !nodesOf(cell).some((one) => one.name === node)) throw unknownNode(node, cell);
    // A choice that the test is not of says nothing of what comes before it.
    const tests = ran?.tests.some((test) => isStop(at, test, ran.tests)) ? ran.chosen : undefined;
    const options = {
      ...{ cell, matrix, providers, at, tests, folder: join(project.root, '.harness', 'shells') },
      ...{ cache: cacheFolder(), state: stateFolder(), version, argv: process.argv.slice(2), onEvent: () => {} },
      ...{ signal: new AbortController().signal, onProgress: say },
    };
    return lookAtTest(options, async ({ nodes, test, before }) => {
      say(`${test} is about to run${before.length > 0 ? `; before it: ${beforeLine(before)}` : ', the first'}`);
      const machine = nodes.find((one) => one.name === node) ?? nodes[0];
      return enter(machine.target, command);
    });
  }
  const folder = join(project.root, '.harness', 'shells', `${process.pid}`);
  makeFolder(folder);
  await using opened = await openCell({
    cell,
    matrix,
    folder,
    cache: cacheFolder(),
    providers,
    state: stateFolder(),
    progress: say,
  });
  const machine = node === undefined ? opened.nodes[0] : opened.nodes.find((one) => one.name === node);
  if (!machine) throw unknownNode(node!, cell);
  return await enter(machine.target, command);
}

/** `3 passed, 1 failed (says hello)`. */
function beforeLine(before: AtTest['before']): string {
  const words = [...Map.groupBy(before, ({ verdict }) => verdict)].map(([verdict, tests]) => {
    const names = verdict === 'passed' || verdict === 'skipped' ? '' : ` (${some(tests.map((test) => test.name))})`;
    return `${tests.length} ${verdict}${names}`;
  });
  return words.join(', ');
}

/**
 * The cells among which one is to be found: as the newest run chose it, where that has it; else by what its name says.
 * `ran` is the cell's result in that run.
 */
async function choose(root: string, name: string): Promise<ChosenCells & { readonly ran?: CellResult | undefined }> {
  const latest = await loadRun(join(runsFolder(root), 'latest')).catch(() => undefined);
  const ran = latest?.cells.find((cell) => cell.name === name);
  const selection = ran?.selection ?? latest?.selection;
  if (ran && selection)
    return { ...(await chooseCells(selection.matrix, optionsFor(selection, [name]) as CellOptions)), ran };
  const parts = parseCellName(name);
  if (!parts)
    throw new ConfigError(`${quote(name)} is no name of a cell, expected arch/target/suite`, {
      hint: 'harness list shows every cell',
    });
  return chooseCells(undefined, {
    arch: [parts.arch],
    target: [parts.target],
    suite: [parts.suite],
    ...(parts.release === undefined ? {} : { release: [parts.release] }),
  });
}

function unknownNode(node: string, cell: Cell): ConfigError {
  const names = nodesOf(cell).map(({ name }) => name);
  return new ConfigError(
    `unknown node ${quote(node)} of ${cell.name}, ${expectedOneOf(names)}${didYouMean(node, names)}`,
  );
}

/** A cell's machine that is still up. In a cluster each has its own folder below the cell's. */
async function keptTarget(run: string, name: string, node: string | undefined): Promise<Target | undefined> {
  const place = cellFolder(run, name);
  const below = await readdir(place).catch(() => []);
  for (const folder of node === undefined ? ['.', ...below.sort()] : [node]) {
    const text = await readFile(join(place, folder, HANDLE_FILE), 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    return reconnect(JSON.parse(text));
  }
  return undefined;
}

function enterMachine(target: Target, command: readonly string[]): Promise<number> {
  return untilItEnds(target.enter(command, command.length === 0 && process.stdin.isTTY === true));
}

/** A command on this host whose connections the machine opens, if it uses proxies as their variables say. */
async function enterByProxy({ connect, facts }: Target, command: readonly string[]): Promise<number> {
  if (!connect) throw new ConfigError(`cannot lead into the machine from here: a ${facts.kind} target has no way`);
  await using proxy = await startForwardProxy(connect);
  const names = ['http_proxy', 'https_proxy'].flatMap((one) => [one, one.toUpperCase()]);
  const env = { ...Object.fromEntries(names.map((one) => [one, proxy.url])), no_proxy: '', NO_PROXY: '' };
  return await untilItEnds(command.length > 0 ? command : [process.env['SHELL'] ?? '/bin/sh'], env);
}

async function untilItEnds([program, ...args]: readonly string[], env: Record<string, string> = {}): Promise<number> {
  const ignore = () => {};
  // Ctrl-C is for the guest.
  process.on('SIGINT', ignore);
  try {
    const { exitCode } = await execa(program!, args, { stdio: 'inherit', reject: false, env });
    return exitCode ?? 3;
  } finally {
    process.off('SIGINT', ignore);
  }
}

export const shellCommand: CliCommand = {
  name: 'shell',
  declare: (command) =>
    command
      .description("open a shell in a cell's guest: the one that --keep left, or a new one")
      .argument('<cell>', 'name of a cell: arch/target/suite, with several releases arch/target/suite@release')
      .argument('[command...]', 'a command to run instead of a shell, after --')
      .option('--node <name>', 'the machine of a cluster; default: the first')
      .option('--here', 'run the command on this host, with http_proxy set to lead into the machine')
      .option('--at <test>', 'in a new machine, as this test finds it: deployed, with the tests before it run')
      .addHelpText(
        'after',
        "\nExamples:\n  harness shell arm64/vm/web\n  harness shell ppc64le/vm/web -- uname -a\n  harness shell ppc64le/vm/web --at 'serves the page'\n  harness shell amd64/vm/keystone --here -- openstack catalog list",
      ),
  act: shell,
};
