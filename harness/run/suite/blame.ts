import { InfraError } from '../../base/errors.ts';
import { scaledMs, withDeadline } from '../../base/time.ts';
import type { TestFinished } from '../../events/types.ts';
import { deployersOf } from '../../stacks/deployers.ts';
import type { Target } from '../../targets/target.ts';
import { ANSWER_SECONDS } from '../cell/collect.ts';
import { firstDeath, type OnTarget } from '../cell/context.ts';
import type { StartedNode } from '../cell/start-cell.ts';

/** What is known about a suite that failed. */
export interface Failure {
  /** Milliseconds since it began to run. */
  readonly ageMs: number;
  readonly finished: readonly Pick<TestFinished, 'verdict' | 'attempts'>[];
}

/** Milliseconds within which the death of a target is noticed. */
const DEATH_MS = 3000;

/**
 * Blames the machine if it has died or no longer answers: a failure there says nothing about the suite. A test notices
 * a missing answer before the cause is known, so this waits a moment for the machine to answer or to be reported dead.
 * @throws the cause of its death; InfraError if it is silent, unless the suite itself switched it off.
 */
export async function blameSilence({ context: { cell }, started }: OnTarget): Promise<void> {
  const { nodes, scale } = started;
  const deadlineMs = scaledMs(ANSWER_SECONDS, scale.factor);
  const died = firstDeath(started);
  const silent = await Promise.race([died, Promise.all(nodes.map((node) => problemOf(node, deadlineMs)))]);
  if (silent instanceof Error) throw silent;
  const first = silent.find((problem) => problem !== undefined);
  if (first === undefined) return;
  const late = () => new Error('it says nothing');
  const why = await withDeadline(died, DEATH_MS, late).catch(() => undefined);
  if (why) throw why;
  if (first.switchedOff) return;
  const { name, target } = first.node;
  throw new InfraError(
    `cannot go on with ${nodes.length > 1 ? name : 'the machine'} of ${cell.name}: it no longer answers commands: ${first.message}`,
    { consoleTail: await target.consoleTail(20).catch(() => []) },
  );
}

/** Blames a machine that does not answer. */
interface Silent {
  readonly node: StartedNode;
  readonly message: string;
  /** The power is off (only a suite does that), or its state is unknown. */
  readonly switchedOff: boolean;
}

async function problemOf(node: StartedNode, deadlineMs: number): Promise<Silent | undefined> {
  try {
    const { exitCode } = await node.target.exec(['true'], { deadlineMs });
    return exitCode === 0 ? undefined : { node, message: `\`true\` exited with ${exitCode}`, switchedOff: true };
  } catch (error) {
    node.silent = true;
    return {
      node,
      message: error instanceof Error ? error.message : String(error),
      switchedOff: await isOff(node.target),
    };
  }
}

async function isOff({ power }: Target): Promise<boolean> {
  if (!power) return false;
  // If the power state is unknown, the suite may have switched the machine off.
  if (!power.isOff) return true;
  return power.isOff().catch(() => false);
}

/**
 * Blames the machine if it has run out of something: its Docker engine is gone, its kernel killed a process for lack of
 * memory, its disk is full. A failure there says nothing about the suite.
 * @throws InfraError that names the cause.
 */
export async function blameMachine(on: OnTarget, failure: Failure): Promise<void> {
  for (const node of on.started.nodes) {
    if (node.silent) continue;
    const which = on.started.nodes.length > 1 ? node.name : 'the machine';
    await blameStack(on, node.target, which);
    await blameMemory(on, node.target, which, failure);
    await blameDisk(on, node.target, which, failure);
  }
}

async function blameStack({ context: { cell } }: OnTarget, target: Target, which: string): Promise<void> {
  const questions = new Set(deployersOf(cell.suite).flatMap(({ blame }) => blame ?? []));
  for (const question of questions) {
    const gone = await question(target);
    if (gone === undefined) continue;
    throw new InfraError(`cannot go on with the stack: ${gone.what} of ${which} is gone: ${gone.why}`, {
      hint: gone.hint,
      consoleTail: await target.consoleTail(20),
    });
  }
}

/** Runs a command on a machine that may be broken; undefined if it does not answer. */
async function ask({ started }: OnTarget, target: Target, script: string): Promise<string | undefined> {
  const deadlineMs = scaledMs(ANSWER_SECONDS, started.scale.factor);
  const answer = await target.exec(['sh', '-c', script], { deadlineMs }).catch(() => undefined);
  return answer?.exitCode === 0 ? answer.stdout : undefined;
}

/** The kernel's message when it kills a process for lack of memory. A control group's own limit does not count. */
const KILLED = /^\[\s*([\d.]+)\] Out of memory: Killed process (\d+) \(([^)]*)\)/;
/** Seconds by which a guest's clock may be off. */
const SLACK_SECONDS = 2;

async function blameMemory(on: OnTarget, target: Target, which: string, { ageMs }: Failure): Promise<void> {
  const said = await ask(
    on,
    target,
    'cat /proc/uptime && { dmesg | grep -F "Out of memory: Killed process" | tail -n 5; }; true',
  );
  const [uptime = '', ...lines] = (said ?? '').split('\n');
  const since = Number.parseFloat(uptime) - ageMs / 1000 - SLACK_SECONDS;
  const killed = lines.flatMap((line) => {
    const [, at, pid, name] = KILLED.exec(line) ?? [];
    return at !== undefined && Number(at) >= since ? [`${name} (process ${pid})`] : [];
  });
  if (killed.length === 0) return;
  throw new InfraError(`cannot go on with ${which}: it ran out of memory, and its kernel killed ${killed.join(', ')}`, {
    hint: 'Give it more: machine.memory in suite.yaml, in MiB.',
    consoleTail: await target.consoleTail(20),
  });
}

/** Error messages of programs when a disk is full. */
const NO_SPACE = /No space left on device|ENOSPC/;
/** Folders that a system writes to; their file systems are checked. */
const WRITTEN = '/ /var /tmp /home /srv /root';

async function blameDisk(on: OnTarget, target: Target, which: string, { finished }: Failure): Promise<void> {
  const said = await ask(
    on,
    target,
    `df -Pk ${WRITTEN} 2>/dev/null | awk 'NR > 1 && $4 == 0 && $2 > 0 {print $6}' | sort -u; journalctl --no-pager --quiet --lines=300 --output=cat 2>/dev/null | grep -m 1 -F 'No space left on device'; true`,
  );
  const lines = (said ?? '').split('\n').filter((line) => line !== '');
  const full = lines.filter((line) => line.startsWith('/'));
  if (full.length === 0) return;
  // A full disk alone is no cause, because a test may fill one on purpose: a program must have failed because of it.
  const failed = finished.filter(({ verdict }) => verdict === 'failed');
  if (!NO_SPACE.test(lines.join('\n')) && !NO_SPACE.test(JSON.stringify(failed))) return;
  throw new InfraError(`cannot go on with ${which}: its disk is full (${full.join(', ')})`, {
    hint: 'Give it a larger one: machine.disk in suite.yaml, in MiB; or let tests remove what they write.',
    consoleTail: await target.consoleTail(20),
  });
}
