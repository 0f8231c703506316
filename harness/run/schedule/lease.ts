import { accessSync, appendFileSync, closeSync, constants, fsyncSync, openSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InfraError, messageOf } from '../../base/errors.ts';
import { makeFolder } from '../../base/files.ts';
import { identify, isAlive, killExactly, type ProcessIdentity, run as runCommand } from '../../base/process.ts';
import { retryUntil } from '../../base/time.ts';
import type { Resource } from '../../targets/target.ts';

type Line =
  | {
      readonly kind: 'owner';
      readonly run: string;
      readonly folder: string;
      readonly owner: ProcessIdentity;
      readonly at: string;
    }
  | { readonly kind: 'kept'; readonly cell: string }
  | Resource;

/** The resources that a run holds and must release; each is on disk before it is used. */
export interface Lease {
  register(resource: Resource): void;
  /** The run's name. */
  readonly run: string;
  /** From now on the cell's target outlives the run, until `harness gc`. */
  keep(cell: string): void;
  /** The run may be resumed after this process has ended: only `harness gc` frees its resources, other runs do not. */
  leaveToGc(): void;
  /** A resource could not be released: it stays registered until the next collection. */
  leaveBehind(): void;
  /** Everything was released: removes the lease, unless something is kept. */
  end(): Promise<void>;
}

function folderOf(state: string): string {
  return join(state, 'leases');
}

/**
 * Opens a run's lease. It is in the user's state folder, so that `gc` finds the runs of every project, even if the
 * project's folder is gone. A line is flushed before the resource it names is used, so the file always lists everything
 * that exists.
 */
export function openLease(state: string, run: string, runFolder: string): Lease {
  try {
    makeFolder(folderOf(state), 0o700);
    accessSync(folderOf(state), constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new InfraError(`cannot note in ${folderOf(state)} what a run takes: ${messageOf(cause)}`, {
      hint: 'Point HARNESS_STATE at a folder that can be written to.',
    });
  }
  const file = join(folderOf(state), `${run}.jsonl`);
  let kept = false;
  const append = (line: Line) => {
    const descriptor = openSync(file, 'a', 0o600);
    try {
      appendFileSync(descriptor, `${JSON.stringify(line)}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  };
  const owner = identify(process.pid);
  if (!owner) throw new Error('cannot read /proc: this needs Linux');
  append({ kind: 'owner', run, folder: runFolder, owner, at: new Date().toISOString() });
  return {
    run,
    register: append,
    keep(cell) {
      kept = true;
      append({ kind: 'kept', cell });
    },
    leaveToGc: () => append({ kind: 'kept', cell: '*' }),
    leaveBehind() {
      kept = true;
    },
    async end() {
      if (!kept) await rm(file, { force: true });
    },
  };
}

/** Whether the harness process of a run is alive. */
export async function isRunActive(state: string, run: string): Promise<boolean> {
  const owner = ownerOf(await readLease(join(folderOf(state), `${run}.jsonl`)));
  return owner !== undefined && isAlive(owner.owner);
}

/** The current owner of a run: a run that was killed and resumed has had several. */
function ownerOf(lines: readonly Line[]): Extract<Line, { kind: 'owner' }> | undefined {
  return lines.findLast((line) => line.kind === 'owner');
}

/** What `gc` found for one run. */
export interface CollectedRun {
  readonly run: string;
  readonly folder: string;
  readonly state: 'running' | 'kept' | 'collected';
  readonly processes: readonly string[];
  readonly paths: readonly string[];
  /** Resources elsewhere that were ended by the run's own commands. */
  readonly elsewhere: readonly string[];
  /** What could not be ended; the next collection tries again. */
  readonly failed: readonly string[];
}

/**
 * Removes every process, socket and overlay of runs whose harness is gone. Active runs are not touched; runs with kept
 * targets only with `includeKept`.
 */
export async function collectGarbage(
  state: string,
  options: { readonly includeKept: boolean; readonly dryRun?: boolean },
): Promise<CollectedRun[]> {
  const names = await readdir(folderOf(state)).catch(() => []);
  const collected: CollectedRun[] = [];
  for (const name of names.filter((name) => name.endsWith('.jsonl')).sort()) {
    const file = join(folderOf(state), name);
    const lines = await readLease(file);
    const head = ownerOf(lines);
    const common = { run: head?.run ?? name.replace('.jsonl', ''), folder: head?.folder ?? '' };
    if (head && isAlive(head.owner)) {
      collected.push({ ...common, ...nothing, state: 'running' });
      continue;
    }
    if (!options.includeKept && lines.some((line) => line.kind === 'kept')) {
      collected.push({ ...common, ...nothing, state: 'kept' });
      continue;
    }
    const processes: string[] = [];
    const paths: string[] = [];
    const running = lines.filter((line) => line.kind === 'process').filter(isAlive);
    for (const line of running) {
      processes.push(`${line.what} (process ${line.pid})`);
      if (!options.dryRun) killExactly(line);
    }
    // A killed QEMU takes a moment to exit; its files are removed only after that.
    if (!options.dryRun) await retryUntil(async () => allEnded(running), { deadlineMs: END_MS, everyMs: 10 });
    for (const line of lines) {
      if (line.kind !== 'path') continue;
      paths.push(line.path);
      if (!options.dryRun) await rm(line.path, { recursive: true, force: true });
    }
    const { elsewhere, failed } = await endElsewhere(lines, { run: common.run, file }, options.dryRun === true);
    // Last, so that an interrupted collection is repeated.
    if (!options.dryRun && failed.length === 0) await rm(file, { force: true });
    collected.push({ ...common, state: 'collected', processes, paths, elsewhere, failed });
  }
  return collected;
}

const nothing = { processes: [], paths: [], elsewhere: [], failed: [] } as const;

/** Deadline for a command that ends something elsewhere, in milliseconds. */
const COMMAND_MS = 300_000;

async function endElsewhere(
  lines: readonly Line[],
  { run, file }: { readonly run: string; readonly file: string },
  dryRun: boolean,
): Promise<Pick<CollectedRun, 'elsewhere' | 'failed'>> {
  const last = new Map(lines.filter((line) => line.kind === 'command').map((line) => [line.id, line]));
  const elsewhere: string[] = [];
  const failed: string[] = [];
  // In reverse order: a machine's changes are undone before the machine is released.
  for (const { argv, env, what } of [...last.values()].reverse()) {
    try {
      if (!dryRun) await runCommand(argv, { purpose: `remove ${what}`, timeout: COMMAND_MS, ...(env ? { env } : {}) });
      elsewhere.push(what);
    } catch (error) {
      failed.push(messageOf(error));
    }
  }
  const engines = new Map(lines.filter((line) => line.kind === 'engine').map(({ engine }) => [engine.host, engine]));
  for (const engine of engines.values()) {
    // Loaded only here: loading the client takes a third of a second.
    const { sweepEngine } = await import('../../targets/container/sweep.ts');
    try {
      elsewhere.push(...(await sweepEngine(engine, run, { dryRun })));
    } catch (error) {
      failed.push(`${messageOf(error)}; if that engine never comes back, remove ${file}`);
    }
  }
  return { elsewhere, failed };
}

/** Milliseconds to wait for a killed process; one that is still there is stuck in the kernel. */
const END_MS = 30_000;

/** @throws InfraError that names the processes that still run. */
function allEnded(processes: readonly (ProcessIdentity & { readonly what: string })[]): void {
  const left = processes.find(isAlive);
  if (left)
    throw new InfraError(`${left.what} (process ${left.pid}) was killed and does not end: try \`harness gc\` again`);
}

/** Skips a line that was cut off by a crash: what it names was never used. */
async function readLease(file: string): Promise<Line[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').flatMap((line): Line[] => {
    try {
      return line === '' ? [] : [JSON.parse(line) as Line];
    } catch {
      return [];
    }
  });
}
