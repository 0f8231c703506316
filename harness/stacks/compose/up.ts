import { basename } from 'node:path';
import { isLate, messageOf, StackError } from '../../base/errors.ts';
import { lastLines } from '../../base/text.ts';
import { retryUntil, scaledMs } from '../../base/time.ts';
import type { Target } from '../../targets/target.ts';
import { type ComposeSuite, composeOf, runCompose } from './command.ts';
import { hopeless, isUp, notUp, serviceStates } from './states.ts';

/**
 * Brings a suite's services up and awaits that all are healthy, or running if they have no health check. One that has
 * exited with 0 has done its work.
 * @throws StackError naming the service that did not come up, and its output.
 */
export async function deployCompose(
  target: Target,
  suite: ComposeSuite,
  { scale, signal }: { readonly scale: number; readonly signal: AbortSignal },
): Promise<void> {
  const file = basename(composeOf(suite).file);
  const seconds = suite.timeouts.compose;
  const deadlineMs = scaledMs(seconds, scale);
  const end = performance.now() + deadlineMs;
  const failed = async (why: string, cause?: unknown): Promise<StackError> => {
    const states = await serviceStates(target, suite, AbortSignal.timeout(STATES_MS)).catch(() => []);
    const said = states.flatMap(({ service, said }) => (said ? [`${service}: ${lastLines(said, 1).join('')}`] : []));
    return new StackError(`cannot deploy ${file}: ${why}`, {
      cause: [...(cause === undefined ? [] : [cause]), ...said].join('\n') || undefined,
      hint: `Each service's log is among the cell's artifacts. There are ${seconds} native seconds, times ${scale.toFixed(1)} for this target: timeouts.compose in suite.yaml.`,
    });
  };
  const up = await runCompose(target, suite, ['up', '--detach', '--no-build'], { deadlineMs, signal }).catch(
    async (error: Error) => {
      signal.throwIfAborted();
      if (!isLate(error)) throw error;
      throw await failed(notUp(await serviceStates(target, suite, AbortSignal.timeout(STATES_MS)), deadlineMs));
    },
  );
  if (up.exitCode !== 0) {
    const states = await serviceStates(target, suite, AbortSignal.timeout(STATES_MS)).catch(() => []);
    throw await failed(hopeless(states) ?? `Compose exited with ${up.exitCode}`, lastLines(up.stderr, 10).join('\n'));
  }
  const why = await retryUntil(
    async () => {
      const states = await serviceStates(target, suite, AbortSignal.any([signal, AbortSignal.timeout(STATES_MS)]));
      const lost = hopeless(states);
      if (lost === undefined && !states.every(isUp)) throw new Error(notUp(states, deadlineMs));
      return lost;
    },
    { deadlineMs: Math.max(0, end - performance.now()), everyMs: 500, signal },
  ).catch((error: unknown) => {
    signal.throwIfAborted();
    return messageOf(error);
  });
  if (why !== undefined) throw await failed(why);
}

/** Milliseconds for an engine to list its containers. */
const STATES_MS = 30_000;

/** Milliseconds for the log of one service. */
const LOG_MS = 20_000;

/** Each container's log from the engine's disk, in case the engine itself does not answer. */
const LOGS_ON_DISK = `cd /var/lib/docker/containers && for file in */*-json.log; do
  echo "== $(grep -o '"com.docker.compose.service":"[^"]*"' "$(dirname "$file")/config.v2.json") $file"
  tail -n 500 "$file"
done`;

/** The log of each service of a suite, by the name of a file for it. Without an engine all are in one, raw. */
export async function composeLogs(target: Target, suite: ComposeSuite): Promise<Map<string, string>> {
  const logs = new Map<string, string>();
  for (const service of Object.keys(composeOf(suite).services)) {
    const args = ['logs', '--no-color', '--timestamps', '--tail', '2000', service];
    const asked = await runCompose(target, suite, args, { deadlineMs: LOG_MS }).catch(() => undefined);
    if (asked?.exitCode !== 0) {
      const { stdout, stderr } = await target.exec(['sh', '-c', LOGS_ON_DISK], { deadlineMs: LOG_MS });
      return logs.set('services.txt', `${stdout}${stderr}`);
    }
    logs.set(`service-${service}.txt`, asked.stdout);
  }
  return logs;
}
