import { connect } from 'node:net';
import { messageOf, StackError } from '../base/errors.ts';
import { formatDuration } from '../base/text.ts';
import { retryUntil, scaledMs } from '../base/time.ts';
import type { Suite } from '../config/suite.ts';
import type { Target } from '../targets/target.ts';

type ReadyCheck = Suite['stack']['ready'][number];

/** argv of a command as suites write them: a string goes through a shell. */
export function argvOf(command: string | readonly string[]): string[] {
  return typeof command === 'string' ? ['sh', '-c', command] : [...command];
}

/** A check's name in messages. */
export function nameOfCheck(check: ReadyCheck): string {
  if (check.name) return check.name;
  if (check.http) return `http ${check.http.port}${check.http.path}`;
  if (check.tcp) return `tcp ${check.tcp}`;
  return `command ${argvOf(check.command ?? '')
    .join(' ')
    .slice(0, 60)}`;
}

/**
 * Awaits every readiness check of a stack, each within its own deadline times the target's slowness.
 * @throws StackError naming the check, its last result, and the end of the console.
 */
export async function awaitReady(target: Target, suite: Suite, scale: number, signal?: AbortSignal): Promise<void> {
  for (const check of suite.stack.ready) await awaitCheck(target, suite, check, scale, signal);
}

/** Awaits one condition. @throws StackError as `awaitReady`. */
export async function awaitCheck(
  target: Target,
  suite: Suite,
  check: ReadyCheck,
  scale: number,
  signal?: AbortSignal,
): Promise<void> {
  const deadlineMs = scaledMs(check.seconds, scale);
  try {
    await retryUntil(() => attempt(check, target, suite, deadlineMs), { deadlineMs, everyMs: 200, signal });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new StackError(
      `cannot use the stack: the readiness check "${nameOfCheck(check)}" did not pass within ${formatDuration(deadlineMs)}: ${messageOf(cause)}`,
      {
        cause,
        hint: `It has ${check.seconds} native seconds, times ${scale.toFixed(1)} for this target: \`seconds:\` in suite.yaml.`,
        consoleTail: await target.consoleTail(20),
      },
    );
  }
}

async function attempt(check: ReadyCheck, target: Target, suite: Suite, deadlineMs: number): Promise<void> {
  if (check.http) {
    const { host, port } = await target.forward(suite.stack.ports[check.http.port]!);
    const response = await fetch(`http://${host}:${port}${check.http.path}`, {
      redirect: 'manual',
      signal: AbortSignal.timeout(deadlineMs),
    });
    await response.arrayBuffer();
    if (response.status !== check.http.status)
      throw new Error(`it answered ${response.status}, not ${check.http.status}`);
  } else if (check.tcp) {
    await tcpAnswers(await target.forward(suite.stack.ports[check.tcp]!), Math.min(deadlineMs, 5000));
  } else {
    const { exitCode, stderr } = await target.exec(argvOf(check.command ?? ''), { deadlineMs });
    if (exitCode !== 0) throw new Error(`it exited with ${exitCode}: ${stderr.trim().slice(-300)}`);
  }
}

/**
 * A forwarded port always accepts; a closed one behind it hangs up at once. So a connection counts once it has stayed
 * open for a moment.
 */
function tcpAnswers(endpoint: { host: string; port: number }, deadlineMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(endpoint);
    const settle = (error?: Error) => {
      socket.destroy();
      if (error) reject(error);
      else resolve();
    };
    const stays = setTimeout(() => settle(), Math.min(300, deadlineMs));
    socket.on('data', () => settle());
    socket.on('error', (error) => {
      clearTimeout(stays);
      settle(error);
    });
    socket.on('close', () => {
      clearTimeout(stays);
      settle(new Error('it hung up'));
    });
  });
}
