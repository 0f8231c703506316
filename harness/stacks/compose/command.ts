import { execa } from 'execa';
import { InfraError } from '../../base/errors.ts';
import { namelessFile } from '../../base/files.ts';
import { dieWithParent } from '../../base/process.ts';
import { formatDuration, lastLines } from '../../base/text.ts';
import type { Suite } from '../../config/suite.ts';
import type { ExecResult, Target } from '../../targets/target.ts';
import { partOf } from '../deployer.ts';
import { engineSocket } from '../engine.ts';
import { type ComposeProgram, composeEnvironment, composeProgram, NO_COMPOSE } from './program.ts';
import { type ComposeStack, projectFolder, projectName } from './stack.ts';

/** The part of a suite that deploying its Compose file needs. */
export type ComposeSuite = Pick<Suite, 'name' | 'parts' | 'timeouts'>;

interface ComposeOptions {
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs this host's Compose on a suite's file, with the machine's Docker engine: so a machine needs no Compose, and an
 * emulated one saves its time. A non-zero exit code is a result.
 * @param args Compose's, as `['up', '--detach']`.
 * @throws InfraError if there is no Compose here or it misses its deadline.
 */
export async function runCompose(
  target: Target,
  suite: ComposeSuite,
  args: readonly string[],
  { deadlineMs, signal }: ComposeOptions,
): Promise<ExecResult> {
  const { content } = composeOf(suite);
  const program = await composeProgram();
  if (program === undefined) throw new InfraError(`cannot use Compose: ${NO_COMPOSE.why}`, { hint: NO_COMPOSE.hint });
  const project = ['--project-name', projectName(suite.name), '--project-directory', projectFolder(suite.name)];
  // Deploys exactly what was checked: Compose's own answer, not the files again. By its path, because Compose 1 takes a
  // "-" for a file of that name if another file follows.
  const argv = dieWithParent([...program.argv, ...project, '--file', '/dev/stdin', ...args]);
  const seconds = String(Math.ceil(deadlineMs / 1000));
  const started = performance.now();
  await using file = await namelessFile(content);
  const result = await execa(argv[0]!, argv.slice(1), {
    // Any descriptor will do; execa's types know the first one only.
    stdin: file.fd as 0,
    reject: false,
    stripFinalNewline: false,
    timeout: Math.ceil(deadlineMs),
    forceKillAfterDelay: 1000,
    // Ignores the user's own engines and projects; an emulated engine may be slow.
    extendEnv: false,
    env: {
      ...composeEnvironment(),
      DOCKER_HOST: `unix://${await engineSocket(target)}`,
      COMPOSE_HTTP_TIMEOUT: seconds,
    },
    ...(signal ? { cancelSignal: signal } : {}),
  });
  const what = `${program.argv.join(' ')} ${args.join(' ')}`;
  if (result.isCanceled) throw signal?.reason;
  if (result.timedOut)
    throw new InfraError(`cannot finish \`${what}\`: no end after ${formatDuration(deadlineMs)}`, {
      cause: lastLines(result.stderr, 5).join('\n') || undefined,
      late: true,
    });
  if (result.exitCode === undefined) throw new InfraError(`cannot run \`${what}\`: ${result.shortMessage}`);
  const { exitCode, stdout, stderr } = result;
  return { exitCode, stdout, stderr: explained(stderr, program), durationMs: performance.now() - started };
}

/**
 * What Compose said, with what it does not say: of an engine of 25 or newer, which no longer has the field, Compose 1 cannot
 * replace a container. Source: docker/compose#11742.
 */
export function explained(stderr: string, { version }: Pick<ComposeProgram, 'version'>): string {
  if (!version.startsWith('1.') || !stderr.includes("'ContainerConfig'")) return stderr;
  return `${stderr.trimEnd()}\nCompose ${version} of this host cannot replace a container of this machine's Docker engine: remove it first (\`rm --stop --force SERVICE\`), or install Compose 2 on this host.\n`;
}

/** @throws InfraError on a host without Compose: before anything is built for the suite. */
export async function mustHaveCompose({ name }: ComposeSuite): Promise<void> {
  if ((await composeProgram()) === undefined)
    throw new InfraError(`cannot deploy the Compose file of ${name}: ${NO_COMPOSE.why}`, { hint: NO_COMPOSE.hint });
}

/** The resolved Compose files of a suite. @throws InfraError for a suite without any. */
export function composeOf(suite: Pick<ComposeSuite, 'name' | 'parts'>): ComposeStack {
  if (!suite.parts?.['compose'])
    throw new InfraError(`cannot use Compose: stack.compose of the suite ${suite.name} names no file`);
  return partOf(suite, 'compose');
}
