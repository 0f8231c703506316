import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { messageOf } from '../../base/errors.ts';
import { printable } from '../../base/text.ts';
import { scaledMs } from '../../base/time.ts';
import type { Suite } from '../../config/suite.ts';
import { deployersOf } from '../../stacks/deployers.ts';
import { argvOf } from '../../stacks/ready.ts';
import type { Target } from '../../targets/target.ts';

/** The commands that are run on a target after a failure. */
const QUESTIONS: Readonly<Record<string, readonly string[]>> = {
  'journal.txt': ['journalctl', '--no-pager', '--lines=2000', '--output=short-monotonic'],
  'units.txt': ['systemctl', '--no-pager', '--all', 'list-units'],
  'failed-units.txt': ['systemctl', '--no-pager', '--full', '--failed', 'status'],
  'dmesg.txt': ['dmesg'],
  'network.txt': ['sh', '-c', 'ip address; ip route; ss -tlnp'],
  'processes.txt': ['ps', 'axo', 'pid,ppid,stat,rss,time,args'],
};

/** Native seconds for each command: a target that failed may be slow. */
const SECONDS = 20;
/** Native seconds within which a machine that is merely busy answers. */
export const ANSWER_SECONDS = 5;

export interface EvidenceOptions {
  /** How many times slower than this host the target is. */
  readonly scale: number;
  readonly signal?: AbortSignal | undefined;
  /** True if it has just failed to answer. */
  readonly silent?: boolean | undefined;
  /** Called with what is missing, and why. */
  readonly warn: (message: string) => void;
}

/**
 * Collects evidence of a failure: journal, units, kernel messages, network, processes, then the output of the suite's
 * own `evidence` commands and the logs of the deployed stack. The console is kept anyway. A late answer loses only that
 * answer. A quick check comes first: a machine that no longer answers is not asked for the rest.
 * @returns the files, relative to the run's folder.
 */
export async function collectEvidence(
  target: Target,
  suite: Suite,
  folder: string,
  runFolder: string,
  { scale, signal, silent, warn }: EvidenceOptions,
): Promise<string[]> {
  const files = [join(folder, 'console.log')];
  const kept = () => files.map((file) => relative(runFolder, file));
  const deadlineMs = scaledMs(SECONDS, scale);
  const options = { deadlineMs, ...(signal ? { signal } : {}) };
  const keep = async (name: string, text: string) => {
    await writeFile(join(folder, name), text.split('\n').map(printable).join('\n'));
    files.push(join(folder, name));
  };
  const answers = async () =>
    target.exec(['true'], { ...options, deadlineMs: scaledMs(ANSWER_SECONDS, scale) }).then(
      () => true,
      () => false,
    );
  if (silent || !(await answers())) {
    // A machine that died has already reported it.
    if (!signal?.aborted) warn('only its console was collected: it no longer answers commands');
    return kept();
  }
  const own = suite.evidence.map((command, index) => [evidenceFile(command, index), argvOf(command)] as const);
  for (const [name, argv] of [...Object.entries(QUESTIONS), ...own]) {
    if (signal?.aborted) break;
    try {
      const { stdout, stderr } = await target.exec(argv, options);
      await keep(name, `${stdout}${stderr}`);
    } catch (error) {
      if (signal?.aborted) break;
      warn(`there is no ${name}: ${messageOf(error)}`);
      if (!(await answers())) return kept();
    }
  }
  // A dead machine cannot answer.
  if (signal?.aborted) return kept();
  for (const { logs } of deployersOf(suite)) {
    const said = await logs?.(target, suite).catch(() => undefined);
    for (const [name, text] of said ?? []) await keep(name, text);
  }
  return kept();
}

/** `evidence-1-docker-node-ls.txt`. */
export function evidenceFile(command: string | readonly string[], index: number): string {
  const words = (typeof command === 'string' ? command : command.join(' ')).match(/[A-Za-z0-9]+/g) ?? [];
  return `${['evidence', index + 1, ...words].join('-').slice(0, 50)}.txt`;
}
