import { execa } from 'execa';
import { InfraError } from '../base/errors.ts';
import { dieWithParent } from '../base/process.ts';
import { formatDuration, lastLines } from '../base/text.ts';
import type { ComposeStack } from '../config/compose.ts';
import type { Suite } from '../config/suite.ts';
import type { ExecResult, Target } from '../targets/target.ts';
import { engineSocket } from './engine.ts';

/** The part of a suite that its Compose file is deployed by. */
export type ComposeSuite = Pick<Suite, 'name' | 'compose' | 'timeouts'>;

interface ComposeOptions {
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** The project of a suite's services, which is in the names and labels of its containers. */
export function projectOf(suite: Pick<Suite, 'name'>): string {
  return suite.name.replaceAll('.', '-');
}

/** Where paths of a Compose file that begin with `./` are, on the machine. */
export function projectFolder(suite: Pick<Suite, 'name'>): string {
  return `/srv/${suite.name}`;
}

/**
 * Runs this host's Compose on a suite's file, with the machine's Docker engine: so a machine needs no Compose, and an
 * emulated one no time for it. A non-zero exit code is a result.
 * @param args Compose's, as `['up', '--detach']`.
 * @throws InfraError when there is no Compose here or it has no end before the deadline.
 */
export async function runCompose(
  target: Target,
  suite: ComposeSuite,
  args: readonly string[],
  { deadlineMs, signal }: ComposeOptions,
): Promise<ExecResult> {
  const { file } = composeOf(suite);
  const [program, ...given] = await composeProgram();
  const project = ['--project-name', projectOf(suite), '--project-directory', projectFolder(suite)];
  const argv = dieWithParent([program!, ...given, ...project, '--file', file, ...args]);
  const seconds = String(Math.ceil(deadlineMs / 1000));
  const started = performance.now();
  const result = await execa(argv[0]!, argv.slice(1), {
    stdin: 'ignore',
    reject: false,
    stripFinalNewline: false,
    timeout: Math.ceil(deadlineMs),
    forceKillAfterDelay: 1000,
    // Nothing of the user's own engines and projects takes part; an emulated engine may think for long.
    extendEnv: false,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      DOCKER_HOST: `unix://${await engineSocket(target)}`,
      COMPOSE_HTTP_TIMEOUT: seconds,
      COMPOSE_ANSI: 'never',
      LC_ALL: 'C.UTF-8',
    },
    ...(signal ? { cancelSignal: signal } : {}),
  });
  const what = `${program} ${args.join(' ')}`;
  if (result.isCanceled) throw signal?.reason;
  if (result.timedOut)
    throw new InfraError(`cannot finish \`${what}\`: no end after ${formatDuration(deadlineMs)}`, {
      cause: lastLines(result.stderr, 5).join('\n') || undefined,
      late: true,
    });
  if (result.exitCode === undefined) throw new InfraError(`cannot run \`${what}\`: ${result.shortMessage}`);
  const { exitCode, stdout, stderr } = result;
  return { exitCode, stdout, stderr, durationMs: performance.now() - started };
}

/** @throws InfraError for a suite without a Compose file. */
export function composeOf({ name, compose }: ComposeSuite): ComposeStack {
  if (!compose) throw new InfraError(`cannot use Compose: stack.compose of the suite ${name} names no file`);
  return compose;
}

/** Where Docker's plug-in is, which also runs alone: a host may have it without the command `docker`. */
const PLUGINS = ['/usr/libexec', '/usr/lib', '/usr/local/lib'].map((folder) => [
  `${folder}/docker/cli-plugins/docker-compose`,
]);

/** argv of Compose on this host: the program of that name, or Docker's plug-in. */
async function composeProgram(): Promise<readonly string[]> {
  for (const argv of [['docker-compose'], ['docker', 'compose'], ...PLUGINS]) {
    const found = await execa(argv[0]!, [...argv.slice(1), 'version'], { reject: false, stdin: 'ignore' });
    if (found.exitCode === 0) return argv;
  }
  throw new InfraError('cannot use Compose: this host has neither docker-compose nor the plug-in `docker compose`', {
    hint: '`harness doctor` prints the line that installs it',
  });
}
