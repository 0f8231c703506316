import { readFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { parseCellName } from '../../base/cell-name.ts';
import { placeBelow } from '../../base/files.ts';
import type { HostFacts, RunStarted } from '../../events/types.ts';
import type { SourceTree } from '../../source/tree.ts';
import type { Capacity } from './capacity.ts';
import { inputsOf } from './inputs.ts';
import type { OpenRun } from './open-run.ts';
import { originOf } from './origin.ts';
import { gitState, pathsInRepository } from './repository.ts';
import type { RunOptions } from './run.ts';

type StartedOptions = Pick<
  RunOptions,
  'matrix' | 'cells' | 'project' | 'version' | 'argv' | 'git' | 'tests' | 'selection' | 'quarantine'
>;

/**
 * The first event of a run: its cells, inputs, host and origin.
 * @param warn called with one sentence for each fact that could not be found.
 */
export async function startedEvent(
  options: StartedOptions,
  { name: run }: Pick<OpenRun, 'name'>,
  { jobs, reason }: Capacity,
  sources: ReadonlyMap<string, SourceTree>,
  warn: (message: string) => void,
): Promise<RunStarted> {
  const { matrix, cells, project } = options;
  const git = options.git ?? (await gitState(project, warn));
  const inRepository = await pathsInRepository(project);
  return {
    type: 'run.started',
    run,
    harness: options.version,
    matrix: {
      name: matrix.name,
      ...(matrix.file === undefined ? {} : { file: placeBelow(project, matrix.file) ?? matrix.file }),
    },
    control: matrix.control,
    host: await hostFacts(),
    cells: cells.map(({ name, arch, target, suite, voting }) => {
      const folder = inRepository(suite.folder);
      const release = parseCellName(name)?.release;
      const chosen = options.tests?.get(name);
      return {
        ...{ name, arch, target, suite: suite.name },
        ...(release === undefined ? {} : { release }),
        ...(folder === undefined ? {} : { folder }),
        voting,
        ...(chosen === undefined ? {} : { chosen }),
      };
    }),
    jobs,
    jobsReason: reason,
    ...(git ? { git } : {}),
    // An explicit commit need not be the one that CI or the folder is at.
    ...(options.git ? {} : { origin: await originOf(project, process.env) }),
    argv: options.argv,
    ...(options.selection ? { selection: options.selection } : {}),
    inputs: await inputsOf(options, sources),
    ...(options.quarantine?.length ? { quarantine: options.quarantine } : {}),
  };
}

/** The machine that this process runs on. */
export async function hostFacts(): Promise<HostFacts> {
  const cpuinfo = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  return {
    arch: process.arch,
    cpu: cpus()[0]?.model.trim() || /^(?:model name|cpu)\s*:\s*(.*)$/m.exec(cpuinfo)?.[1] || 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
  };
}
