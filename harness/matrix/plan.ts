import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import { ConfigError, messageOf } from '../base/errors.ts';
import { exists } from '../base/files.ts';
import { cacheFolder } from '../base/folders.ts';
import { didYouMean, expectedOneOf } from '../base/nearest.ts';
import { bundled } from '../base/package.ts';
import { quote } from '../base/quote.ts';
import { splitList } from '../base/split-list.ts';
import { withArchs } from '../config/archs.ts';
import { commandSuite } from '../config/load/command-suite.ts';
import { matrixOf } from '../config/load/from-flags.ts';
import { loadMatrix, matrixFromFlags, mustBeWhole, readSuites, resolveMatrixFile } from '../config/load/load.ts';
import { type Inventory, loadInventory } from '../config/load/machines.ts';
import { findProject, type Project } from '../config/load/project.ts';
import { projectWarnings } from '../config/load/project-warnings.ts';
import { withReleases } from '../config/releases.ts';
import type { Matrix, Suite } from '../config/suite.ts';
import { preferencesOf, withTargets } from '../config/targets.ts';
import type { Selection } from '../events/types.ts';
import { type ReleaseName, releaseNames } from '../releases/index.ts';
import { type TargetKind, targetKinds } from '../targets/kinds.ts';
import { createProviders, type Providers } from '../targets/providers.ts';
import type { Cell } from './cell.ts';
import { type Choose, expandCells } from './expand.ts';
import { filterCells } from './filter.ts';
import { preferredKind } from './gate.ts';
import { commandsOf, machinesOf } from './machines.ts';
import { selectionOf } from './selection.ts';
import { parseShard, shardOf } from './shard.ts';

/** The options that choose cells. */
export interface CellOptions {
  readonly arch?: string[];
  readonly target?: string[];
  readonly suite?: string[];
  readonly release?: string[];
  readonly only?: string[];
  readonly shard?: string;
  readonly durations?: string;
  readonly machines?: string;
  readonly json?: boolean;
  /** The command after `--`. */
  readonly command?: readonly string[];
  readonly packages?: string[];
  readonly setup?: string[];
  readonly results?: string;
  readonly artifacts?: string[];
  readonly source?: string | false;
  readonly root?: boolean;
  readonly network?: boolean;
  readonly timeout?: number;
  readonly memory?: number;
  readonly disk?: number;
}

/** The plan of a command line. */
export interface ChosenCells {
  readonly project: Project;
  readonly matrix: Matrix;
  readonly cells: Cell[];
  readonly providers: Providers;
  /** The selection, for choosing the same cells again. */
  readonly selection: Selection;
  /** Mistakes elsewhere in the project, which stop nothing. */
  readonly warnings: readonly string[];
}

/**
 * The cells that a command line chooses.
 * @throws ConfigError if it chooses none, or one of a suite with a mistake.
 */
export async function planCells(
  named: string | undefined,
  options: CellOptions,
  cwd: string = process.cwd(),
): Promise<ChosenCells> {
  const project = await findProject(cwd);
  const { kinds, address } = targetsOf(options.target);
  const suite = suiteOfCommand(options, cwd);
  const chosen =
    named !== undefined
      ? await loadMatrix(await resolveMatrixFile(named, project, { cwd, bundled: bundled.matrices }), cwd)
      : suite
        ? matrixOf([suite.name])
        : await matrixFromFlags(options, project, { cwd, bundledSuites: bundled.suites });
  // A command replaces a matrix's suites.
  const written = suite ? { ...chosen, suite: [suite.name], include: [], exclude: [], 'non-voting': [] } : chosen;
  const matrix = withArchs(withReleases(withTargets(written, kinds), wantedReleases(options.release)), options);
  const read = suite
    ? { suites: new Map([[suite.name, suite]]), broken: new Map() }
    : await readSuites(matrix, [project.suites, bundled.suites], cwd);
  const { suites } = read;
  const inProject = (file: string | undefined) => file && fileOf(file, project, cwd);
  const inventory = await loadInventory(project, { file: await inProject(options.machines), address, cwd });
  const unused = mistakesUnused(inventory, matrix);
  const providers = providersOf(inventory);
  const all = expandCells(matrix, suites, await choices(matrix, suites, providers));
  const filtered = filterCells(all, { ...options, target: kinds });
  const durations = await inProject(options.durations);
  const cells = options.shard === undefined ? filtered : await inShard(filtered, options.shard, durations);
  mustBeWhole(
    cells.map(({ suite }) => suite.name),
    read,
  );
  const warnings = [
    ...unused,
    ...[...read.broken.values()].map(({ message }) => message),
    ...(await projectWarnings(project, new Set(suites.keys()), cwd)),
  ];
  return { project, matrix, cells, providers, selection: selectionOf(options, matrix, project, cwd), warnings };
}

/** Options about the command after `--`. */
const OF_COMMAND = [
  'packages',
  'setup',
  'results',
  'artifacts',
  'root',
  'network',
  'timeout',
  'memory',
  'disk',
] as const satisfies readonly (keyof CellOptions)[];

/** The suite of a command after `--`. @throws ConfigError for its options without a command. */
function suiteOfCommand({ command, timeout, ...options }: CellOptions, cwd: string): Suite | undefined {
  if (command !== undefined) return commandSuite({ ...options, command, seconds: timeout }, cwd);
  const given = OF_COMMAND.find((name) => ({ ...options, timeout })[name] !== undefined);
  if (given === undefined && typeof options.source !== 'string') return undefined;
  throw new ConfigError(`--${given ?? 'source'} is about a command, and there is none`, {
    hint: 'Put the command at the end: harness run --arch arm64 -- make check',
  });
}

/** A file that an option names: in the current folder, else where the project has it. */
async function fileOf(file: string, project: Project, cwd: string): Promise<string> {
  const [here, there] = [resolve(cwd, file), resolve(project.root, file)];
  return !(await exists(here)) && (await exists(there)) ? there : here;
}

/** The kinds of target that the lists of an inventory are for. */
const LISTS = { machines: 'ssh', commands: 'command' } as const satisfies Record<string, TargetKind>;

/** Mistakes in parts of an inventory that a matrix does not use. @throws ConfigError for one in a part that it uses. */
function mistakesUnused({ problems }: Inventory, matrix: Matrix): string[] {
  const kinds = new Set([...preferencesOf(matrix).flat(), ...matrix.include.map(({ target }) => target)]);
  const unused: string[] = [];
  for (const [list, kind] of Object.entries(LISTS)) {
    const problem = problems[list as keyof typeof LISTS];
    if (problem && kinds.has(kind)) throw problem;
    if (problem) unused.push(problem.message);
  }
  // A command that uses an engine reports this error itself.
  if (problems.engines) unused.push(problems.engines.message);
  return [...new Set(unused)];
}

/** The kinds of target of this host and of an inventory. */
export function providersOf(inventory: Inventory, qemu?: string): Providers {
  return createProviders({
    qemu,
    cache: cacheFolder(),
    machines: machinesOf(inventory),
    commands: commandsOf(inventory),
    inventory: inventory.name,
  });
}

/**
 * The providers of a choice of cells under another build of QEMU: its binary, or the folder of its binaries.
 * @throws ConfigError if it does not exist.
 */
export async function providersWith(
  qemu: string,
  { project }: Pick<ChosenCells, 'project'>,
  { machines }: Pick<CellOptions, 'machines'>,
  cwd: string = process.cwd(),
): Promise<Providers> {
  const build = resolve(cwd, qemu);
  if (!(await exists(build)))
    throw new ConfigError(`cannot use the QEMU of ${qemu}: there is no such file or folder`, {
      hint: 'Name its binary, or the folder of its binaries: /opt/qemu-10/bin',
    });
  return providersOf(await loadInventory(project, { file: machines, cwd }), build);
}

/** Kinds of target, and the address of a machine, which implies its kind. */
function targetsOf(given: readonly string[] | undefined): { kinds: TargetKind[]; address?: string } {
  const words = splitList(given);
  const addresses = words.filter((word) => word.includes('://'));
  if (addresses.length > 1)
    throw new ConfigError(`there are ${addresses.length} addresses in --target, and at most one is possible`, {
      hint: 'Name several machines in machines.yaml.',
    });
  const [address] = addresses;
  const kinds = words.map((word) => (word === address ? 'ssh' : kindOf(word)));
  return { kinds: [...new Set(kinds)], ...(address === undefined ? {} : { address }) };
}

/** @throws ConfigError for an unknown release. */
function wantedReleases(given: readonly string[] | undefined): ReleaseName[] {
  return splitList(given).map((word) => {
    const name = releaseNames.find((one) => one === word);
    if (name) return name;
    throw new ConfigError(
      `unknown Debian release ${quote(word)}, ${expectedOneOf(releaseNames)}${didYouMean(word, releaseNames)}`,
    );
  });
}

/** @throws ConfigError for an unknown kind of target. */
function kindOf(word: string): TargetKind {
  const kind = targetKinds.find((one) => one === word);
  if (kind) return kind;
  throw new ConfigError(
    `unknown kind of target ${quote(word)}, ${expectedOneOf(targetKinds)}${didYouMean(word, targetKinds)}`,
  );
}

/** Finds out which kinds of target are available, if a matrix prefers one to another. */
async function choices(matrix: Matrix, suites: ReadonlyMap<string, Suite>, providers: Providers): Promise<Choose> {
  const found = new Map<string, ReturnType<Choose>>();
  const keyOf: (...key: Parameters<Choose>) => string = (kinds, { arch, suite }) =>
    JSON.stringify([kinds, arch, suite]);
  for (const kinds of preferencesOf(matrix).filter((preference) => preference.length > 1)) {
    for (const arch of matrix.arch)
      for (const [name, suite] of suites)
        found.set(keyOf(kinds, { arch, suite: name }), await preferredKind(kinds, { arch, suite }, providers));
  }
  return (kinds, cell) => found.get(keyOf(kinds, cell)) ?? { target: kinds[0] };
}

async function inShard(cells: readonly Cell[], text: string, durations: string | undefined): Promise<Cell[]> {
  const shard = parseShard(text);
  const chosen = shardOf(cells, shard, durations === undefined ? new Map() : await durationsIn(durations));
  if (chosen.length > 0) return chosen;
  throw new ConfigError(`shard ${text} has no cells: there are only ${cells.length}`, {
    hint: 'Ask for as many shards as there are cells, or fewer.',
  });
}

/** A cell without a duration was never timed. */
const recorded = z.object({
  cells: z.array(z.object({ name: z.string(), durationMs: z.number().min(0).optional().catch(undefined) })),
});

/** Durations of the cells of an earlier run, in milliseconds. */
async function durationsIn(file: string): Promise<ReadonlyMap<string, number>> {
  try {
    const { cells } = recorded.parse(JSON.parse(await readFile(file, 'utf8')));
    return new Map(cells.flatMap(({ name, durationMs }) => (durationMs === undefined ? [] : [[name, durationMs]])));
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : messageOf(cause);
    throw new ConfigError(`cannot read --durations ${file}: ${why}`, {
      cause,
      hint: 'It is the results.json of an earlier run.',
    });
  }
}
