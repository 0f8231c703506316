import { join } from 'node:path';
import { messageOf } from '../../base/errors.ts';
import { exists } from '../../base/files.ts';
import { environmentOf } from '../../commands/environment.ts';
import { outputLog } from '../../commands/output-log.ts';
import { type SetUpState, setUp } from '../../commands/set-up.ts';
import { copySource } from '../../commands/workspace.ts';
import type { Suite } from '../../config/suite.ts';
import type { Cell } from '../../matrix/cell.ts';
import type { SourceTree } from '../../source/tree.ts';
import { deployStacks } from '../../stacks/deploy.ts';
import type { DeployOptions } from '../../stacks/deployer.ts';
import { installStack } from '../../stacks/packages/install.ts';
import { argvOf } from '../../stacks/ready.ts';
import { undoChanges } from '../../stacks/undo.ts';
import type { Target } from '../../targets/target.ts';
import { firstDeath, type OnTarget } from './context.ts';
import { filesOf } from './image.ts';
import type { CellSnapshot } from './snapshots.ts';
import { contentsOf } from './software.ts';
import type { StartedCell } from './start-cell.ts';
import type { StepIo } from './step.ts';

/**
 * Deploys a cell's stack on its machines and saves them, unless they came with it from a snapshot.
 * @param keep called with the file that holds the deployment's output, if there was any.
 */
export async function deployOn(on: OnTarget, io: StepIo, keep: (file: string) => void = () => {}): Promise<void> {
  const { context, started, signal } = on;
  const { progress, warn, phase } = io;
  const file = join(context.folder, 'deploy.log');
  const log = outputLog(file, () => {});
  const output = (text: string) => log.add('stdout', Buffer.from(text));
  const options: DeployOptions = { scale: started.scale.factor, signal, progress, warn, phase, output };
  const tree = context.run.sources.get(context.cell.suite.name);
  if (started.deployed) return freshenSource(started, tree, options);
  const died = firstDeath(started).then((error) => {
    throw error;
  });
  try {
    await Promise.race([deployNodes(started, context.cell, tree, options), died]);
  } finally {
    await log.end();
    if (await exists(file)) keep(file);
  }
  if (started.snapshot && started.blanks?.used)
    warn('no snapshot is saved: the deployment has switched a blank node on, and their disks are not in it');
  else if (started.snapshot) await saveSnapshot(on, started.snapshot, io);
}

/** Copies the source for a suite's commands to a machine and runs the set-up command. */
async function setUpOn(
  target: Target,
  suite: Suite,
  tree: SourceTree | undefined,
  options: DeployOptions,
): Promise<SetUpState | undefined> {
  if (suite.tests.length === 0 && suite.setup.length === 0) return undefined;
  const what = {
    tree,
    commands: suite.setup.map(argvOf),
    as: suite.root ? 'root' : 'user',
    seconds: suite.timeouts.setup,
    env: environmentOf(suite, target.facts.arch, options.scale),
  } as const;
  return setUp(target, what, options);
}

/** A machine from a snapshot has an older copy of the source: sends it the changes since. */
export async function freshenSource(
  { setUp, nodes }: StartedCell,
  tree: SourceTree | undefined,
  options: DeployOptions,
): Promise<void> {
  if (tree && setUp) await copySource(nodes[0].target, setUp.workspace, tree, setUp.entries, options);
}

/**
 * Brings the stack up on all machines of a cell. Existing machines get its packages and files first, and the first
 * machine gets the source for the suite's commands.
 */
export async function deployNodes(
  started: StartedCell,
  cell: Cell,
  tree: SourceTree | undefined,
  options: DeployOptions,
): Promise<void> {
  const { suite } = cell;
  const bare = started.nodes.filter(({ onImage }) => !onImage);
  if (bare.length > 0) {
    const files = await filesOf(suite, suite.stack.files);
    for (const node of bare) {
      const made = await contentsOf(node.software);
      node.installed = await installStack(node.target, suite, [...made, ...files], options);
    }
  }
  await deployStacks(started.nodes, suite, options);
  started.setUp = await setUpOn(started.nodes[0].target, suite, tree, options);
}

/**
 * Undoes the changes on machines that outlive the run.
 * @returns what was undone and what remains, in words; undefined if there is nothing to report.
 */
export async function undoOn({ context: { cell }, started }: OnTarget): Promise<string | undefined> {
  const said: string[] = [];
  for (const { target, installed, containers } of started.nodes) {
    const count = await undoChanges(target, { scale: started.scale.factor });
    if (count === undefined) continue;
    const { packages } = cell.suite.stack.afterwards;
    const stay = packages === 'stay' && installed ? installed.packages : [];
    const wrote = cell.suite.stack.commands.length > 0 ? ['files written by stack commands and scenarios'] : [];
    const tags = containers.map(({ tag }) => tag);
    const stays = [
      ...(stay.length > 0 ? [`the packages ${stay.join(', ')}`] : []),
      ...(tags.length > 0 ? [`the container images ${tags.join(', ')}`] : []),
      ...wrote,
    ];
    said.push(
      `${target.facts.machine ?? cell.name}: ${count} changes undone${stays.length > 0 ? `; remaining: ${stays.join(', and ')}` : ''}`,
    );
  }
  return said.length > 0 ? said.join('; ') : undefined;
}

/** A snapshot that cannot be saved slows the next run down, but does not fail this one. */
async function saveSnapshot({ started, signal }: OnTarget, snapshot: CellSnapshot, io: StepIo) {
  io.progress('saving a snapshot');
  const begun = performance.now();
  await snapshot.save(started.nodes, started).catch((error: unknown) => {
    signal.throwIfAborted();
    io.warn(`no snapshot was saved: ${messageOf(error)}`);
  });
  io.phase({ name: 'snapshot', durationMs: Math.round(performance.now() - begun) });
}
