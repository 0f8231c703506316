import { execa } from 'execa';
import { InfraError } from '../../base/errors.ts';
import { dieWithParent } from '../../base/process.ts';
import type { ExecOptions, ExecResult } from '../target.ts';
import { lateError, MAX_OUTPUT } from './exec-limits.ts';

/**
 * Runs a process of this host that runs a command on a target, and dies with us.
 * @param what the command, for errors.
 * @param env its whole environment; default: ours.
 * @throws InfraError if it misses its deadline, or cannot be started; the signal's reason if it was aborted.
 */
export async function execProcess(
  argv: readonly string[],
  request: ExecOptions,
  what: string,
  env?: Readonly<Record<string, string>>,
): Promise<ExecResult> {
  const started = performance.now();
  const [program, ...args] = dieWithParent(argv);
  const child = execa(program!, args, {
    reject: false,
    stripFinalNewline: false,
    maxBuffer: MAX_OUTPUT,
    timeout: Math.ceil(request.deadlineMs),
    forceKillAfterDelay: 1000,
    ...(env ? { env, extendEnv: false } : {}),
    ...(request.stdin === undefined ? { stdin: 'ignore' as const } : { input: request.stdin }),
    ...(request.signal ? { cancelSignal: request.signal } : {}),
  });
  if (request.onOutput) child.stdout?.on('data', (chunk: Buffer) => request.onOutput?.(chunk.toString()));
  const result = await child;
  const durationMs = performance.now() - started;
  const stdout = String(result.stdout ?? '');
  const stderr = String(result.stderr ?? '');
  if (result.timedOut) throw lateError(what, request, stderr);
  if (result.isCanceled) throw request.signal?.reason ?? new InfraError(`cannot finish \`${what}\`: it was cancelled`);
  if (result.exitCode === undefined) throw new InfraError(`cannot run \`${what}\`: ${result.shortMessage}`);
  return { exitCode: result.exitCode, stdout, stderr, durationMs };
}
