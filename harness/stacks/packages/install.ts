import { dirname } from 'node:path';
import { InfraError, StackError } from '../../base/errors.ts';
import { lastLines, shellQuote } from '../../base/text.ts';
import { scaledMs } from '../../base/time.ts';
import type { Suite } from '../../config/suite.ts';
import type { ImageFile } from '../../images/files.ts';
import type { ExecResult, Target } from '../../targets/target.ts';
import { buildCommands } from '../build.ts';
import type { DeployOptions } from '../deployer.ts';
import { runCommand } from '../run-command.ts';
import { beginUndo, noteChanges, undoLeftovers } from '../undo.ts';

/** Changes made to a machine with its own system. */
export interface Installed {
  /** Packages that were installed. */
  readonly packages: readonly string[];
}

/** Where a machine keeps what belongs to a suite's commands; removed again from machines that outlive the run. */
export const WORK_FOLDER = '/srv/harness';

/** Native seconds for fetching and installing packages. */
const PACKAGES_SECONDS = 300;

/**
 * Installs a stack's packages and files on an existing machine, and starts its services. On a machine that outlives the
 * run every change is first noted there, so that the next user can undo it.
 * @param files what the suite's are, with what is in them.
 * @throws StackError if something cannot be installed, InfraError if that is the machine's fault.
 */
export async function installStack(
  target: Target,
  suite: Suite,
  files: readonly ImageFile[],
  options: DeployOptions,
): Promise<Installed> {
  const { stack } = suite;
  const left = await undoLeftovers(target, options);
  if (left) options.warn(`${target.facts.machine ?? 'the machine'} had changes of another run: ${left}`);
  const missing = await missingPackages(target, stack.packages, suite, options);
  await beginUndo(target, suite, missing, options);
  if (missing.length > 0) await installPackages(target, missing, options);
  const work = suite.tests.length > 0 || suite.setup.length > 0 ? [WORK_FOLDER] : [];
  const paths = [...files.map((file) => ('folder' in file ? `${file.path}/` : file.path)), ...work];
  await noteChanges(target, suite, paths, options);
  for (const file of files) {
    options.progress(`writing ${file.path}`);
    await putFile(target, file, suite, options);
  }
  for (const command of buildCommands(suite)) await runCommand(target, command, suite, options);
  const { enabled, disabled } = stack.services;
  if (disabled.length > 0) await disableServices(target, disabled, suite, options);
  if (enabled.length > 0) await startServices(target, enabled, suite, options);
  return { packages: missing };
}

/** Puts a file, a folder or a link on a machine, or removes what is there. */
async function putFile(target: Target, file: ImageFile, { timeouts }: Suite, options: DeployOptions): Promise<void> {
  if ('content' in file) await target.write(file.path, file.content, { mode: Number.parseInt(file.mode, 8) });
  const steps = stepsFor(file);
  if (steps.length === 0) return;
  const { exitCode, stderr } = await target.exec(['sh', '-c', `set -e\n${steps.join('\n')}`], {
    deadlineMs: scaledMs(timeouts.command, options.scale),
    signal: options.signal,
  });
  if (exitCode !== 0) throw new StackError(`cannot write ${file.path}: ${lastLines(stderr, 1).join('')}`);
}

/** What is left to do of a file once what is in it is written, as lines of sh. */
function stepsFor(file: ImageFile): string[] {
  const at = shellQuote(file.path);
  if ('absent' in file) return [`rm -rf ${at}`];
  if ('link' in file)
    return [`mkdir -p ${shellQuote(dirname(file.path))}`, `rm -f ${at}`, `ln -s ${shellQuote(file.link)} ${at}`];
  const { owner, group, mode } = file;
  const own = (owner ?? group) === undefined ? [] : [`chown ${owner ?? 'root'}:${group ?? 'root'} ${at}`];
  if ('folder' in file) return [`mkdir -p ${at}`, ...own, `chmod ${mode} ${at}`];
  return own.length === 0 ? [] : [...own, `chmod ${mode} ${at}`];
}

async function missingPackages(
  target: Target,
  packages: readonly string[],
  suite: Suite,
  options: DeployOptions,
): Promise<string[]> {
  if (packages.length === 0) return [];
  const deadlineMs = scaledMs(suite.timeouts.command, options.scale);
  // It exits with 1 when one of them is not known, and prints the others.
  const { stdout, exitCode, stderr } = await target.exec(
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own placeholders
    ['dpkg-query', '-W', '-f', '${db:Status-Abbrev}${Package}\\n', ...packages],
    { deadlineMs, signal: options.signal },
  );
  if (exitCode > 1)
    throw new StackError(`cannot install the stack's packages: the machine has no dpkg (${lastLines(stderr, 1)[0]})`);
  const there = new Set(stdout.split('\n').flatMap((line) => /^ii\s+(\S+)$/.exec(line)?.[1] ?? []));
  return packages.filter((name) => !there.has(name));
}

async function installPackages(target: Target, packages: readonly string[], options: DeployOptions): Promise<void> {
  options.progress(`installing ${packages.join(', ')}`);
  const deadlineMs = scaledMs(PACKAGES_SECONDS, options.scale);
  const apt = (...args: string[]) =>
    target.exec(['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', ...args], {
      deadlineMs,
      signal: options.signal,
      outside: true,
      onOutput: (chunk) => options.progress(lastLines(chunk, 1)[0] ?? ''),
    });
  const install = () =>
    apt('install', '-y', '--no-install-recommends', '-o', 'Dpkg::Options::=--force-confold', ...packages);
  const first = await install();
  if (first.exitCode === 0) return;
  // Its lists may be older than the archive.
  const update = await apt('update');
  const second = update.exitCode === 0 ? await install() : update;
  if (second.exitCode !== 0) throw failure(`cannot install ${packages.join(', ')}`, second);
}

async function startServices(
  target: Target,
  services: readonly string[],
  suite: Suite,
  options: DeployOptions,
): Promise<void> {
  options.progress(`starting ${services.join(', ')}`);
  const script = 'systemctl daemon-reload && systemctl enable --quiet "$@" && systemctl restart "$@"';
  const started = await target.exec(['sh', '-c', script, 'start', ...services], {
    deadlineMs: scaledMs(suite.timeouts.boot, options.scale),
    signal: options.signal,
  });
  if (started.exitCode !== 0) throw failure(`cannot start ${services.join(', ')}`, started);
}

async function disableServices(
  target: Target,
  services: readonly string[],
  suite: Suite,
  options: DeployOptions,
): Promise<void> {
  const disabled = await target.exec(['systemctl', 'disable', '--quiet', '--now', ...services], {
    deadlineMs: scaledMs(suite.timeouts.boot, options.scale),
    signal: options.signal,
  });
  if (disabled.exitCode !== 0) throw failure(`cannot disable ${services.join(', ')}`, disabled);
}

/** A full disk is the machine's fault; anything else may be the stack's. */
function failure(what: string, { exitCode, stdout, stderr }: ExecResult): Error {
  const said = lastLines(`${stdout}\n${stderr}`, 12).join('\n');
  return /No space left on device|not have enough free space/.test(said)
    ? new InfraError(`${what}: the machine's disk is full`, {
        cause: said,
        hint: 'Make room on it, for instance with `apt-get clean`.',
      })
    : new StackError(`${what}: it exited with ${exitCode}`, { cause: said });
}
