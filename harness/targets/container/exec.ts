import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type Dockerode from 'dockerode';
import { InfraError, messageOf } from '../../base/errors.ts';
import { lateError, MAX_OUTPUT } from '../shared/exec-limits.ts';
import type { ExecOptions, ExecResult } from '../target.ts';

/**
 * Runs argv in a container. The engine cannot end processes that it started there, so `timeout`, which is in every
 * Debian, ends them a second after the deadline.
 * @throws InfraError if the engine or the container is gone, or the deadline has passed.
 */
export async function execInContainer(
  container: Dockerode.Container,
  argv: readonly string[],
  request: ExecOptions,
): Promise<ExecResult> {
  const started = performance.now();
  const what = argv.join(' ').slice(0, 120);
  const late = AbortSignal.timeout(Math.ceil(request.deadlineMs));
  const signal = request.signal ? AbortSignal.any([late, request.signal]) : late;
  const output = { stdout: collect(request.onOutput), stderr: collect(undefined) };
  try {
    const exec = await container.exec({
      Cmd: ['timeout', '--signal=KILL', String(Math.ceil(request.deadlineMs / 1000) + 1), ...argv],
      AttachStdin: request.stdin !== undefined,
      AttachStdout: true,
      AttachStderr: true,
      abortSignal: signal,
    });
    const stdin = request.stdin !== undefined;
    const stream = await exec.start({ hijack: stdin, stdin, abortSignal: signal });
    container.modem.demuxStream(stream, output.stdout.stream, output.stderr.stream);
    if (stdin) stream.end(request.stdin);
    await finished(stream, { signal, writable: false });
    const exitCode = await exitCodeOf(exec, signal);
    const durationMs = performance.now() - started;
    if (exitCode === KILLED) await checkAlive(container, signal);
    output.stdout.check();
    output.stderr.check();
    return { exitCode, stdout: output.stdout.text(), stderr: output.stderr.text(), durationMs };
  } catch (cause) {
    if (request.signal?.aborted) throw request.signal.reason;
    if (late.aborted) throw lateError(what, request, output.stderr.text());
    throw new InfraError(`cannot run \`${what}\` in the container: ${messageOf(cause)}`, { cause });
  }
}

/** The engine notices the end of a process a moment after its output has ended. */
async function exitCodeOf(exec: Dockerode.Exec, signal: AbortSignal): Promise<number> {
  for (;;) {
    const { ExitCode, Running } = await exec.inspect({ abortSignal: signal });
    if (!Running && ExitCode !== null) return ExitCode;
    await delay(20, undefined, { signal });
  }
}

/** The exit code after SIGKILL, which also hits everything in a container whose first process has ended. */
const KILLED = 137;
/** Milliseconds in which an engine notices that a container has ended; a command killed for another reason waits for it. */
const NOTICED_MS = 3000;

/** @throws Error if more than the command was killed. */
async function checkAlive(container: Dockerode.Container, signal: AbortSignal): Promise<void> {
  const enough = new AbortController();
  const abortSignal = AbortSignal.any([signal, enough.signal]);
  const gone = () => true;
  const ended = await Promise.race([
    container.wait({ condition: 'not-running', abortSignal }).then(gone, gone),
    delay(NOTICED_MS, false, { signal }),
  ]);
  enough.abort();
  if (ended) throw new Error('the container has ended');
}

/** Output of one stream of a command; beyond the limit only a flag that there was more. */
function collect(onOutput: ExecOptions['onOutput']) {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const stream = new PassThrough();
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= MAX_OUTPUT) chunks.push(chunk);
    onOutput?.(chunk.toString());
  });
  return {
    stream,
    text: () => Buffer.concat(chunks).toString(),
    /** @throws Error if there was more than is kept. */
    check: () => {
      if (bytes > MAX_OUTPUT) throw new Error(`it printed more than ${MAX_OUTPUT / 2 ** 20} MiB`);
    },
  };
}
