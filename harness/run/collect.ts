import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { printable } from '../base/text.ts';
import type { Suite } from '../config/suite.ts';
import { composeLogs } from '../stacks/compose.ts';
import { argvOf } from '../stacks/ready.ts';
import type { Target } from '../targets/target.ts';

/** What is asked of a target after a failure. */
const QUESTIONS: Readonly<Record<string, readonly string[]>> = {
  'journal.txt': ['journalctl', '--no-pager', '--lines=2000', '--output=short-monotonic'],
  'units.txt': ['systemctl', '--no-pager', '--all', 'list-units'],
  'failed-units.txt': ['systemctl', '--no-pager', '--full', '--failed', 'status'],
  'dmesg.txt': ['dmesg'],
  'network.txt': ['sh', '-c', 'ip address; ip route; ss -tlnp'],
  'processes.txt': ['ps', 'axo', 'pid,ppid,stat,rss,time,args'],
};

/** Milliseconds for each question: a target that failed may not answer at all. */
const DEADLINE_MS = 20_000;

/**
 * Keeps what explains a failure: journal, units, kernel messages, network, processes, the log of each Compose service,
 * and what the suite's own commands say. The console is there anyway. Stops at the first question that is not answered in time.
 * @returns the files, relative to the run's folder.
 */
export async function collectEvidence(
  target: Target,
  suite: Suite,
  folder: string,
  runFolder: string,
): Promise<string[]> {
  const files = [join(folder, 'console.log')];
  const keep = async (name: string, text: string) => {
    await writeFile(join(folder, name), text.split('\n').map(printable).join('\n'));
    files.push(join(folder, name));
  };
  const logs = await composeLogs(target, suite).catch(() => new Map<string, string>());
  for (const [name, text] of logs) await keep(name, text);
  const own = suite.evidence.map((command, index) => [evidenceFile(command, index), argvOf(command)] as const);
  for (const [name, argv] of [...own, ...Object.entries(QUESTIONS)]) {
    try {
      const { stdout, stderr } = await target.exec(argv, { deadlineMs: DEADLINE_MS });
      await keep(name, `${stdout}${stderr}`);
    } catch {
      break;
    }
  }
  return files.map((file) => relative(runFolder, file));
}

/** `evidence-1-docker-node-ls.txt`. */
export function evidenceFile(command: string | readonly string[], index: number): string {
  const words = (typeof command === 'string' ? command : command.join(' ')).match(/[A-Za-z0-9]+/g) ?? [];
  return `${['evidence', index + 1, ...words].join('-').slice(0, 50)}.txt`;
}
