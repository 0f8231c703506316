import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { printable } from '../base/text.ts';
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
 * Keeps what explains a failure: journal, units, kernel messages, network, processes. The console is there anyway. Stops
 * at the first question that is not answered in time.
 * @returns the files, relative to the run's folder.
 */
export async function collectEvidence(target: Target, folder: string, runFolder: string): Promise<string[]> {
  const files = [join(folder, 'console.log')];
  for (const [name, argv] of Object.entries(QUESTIONS)) {
    try {
      const { stdout, stderr } = await target.exec(argv, { deadlineMs: DEADLINE_MS });
      const text = `${stdout}${stderr}`.split('\n').map(printable).join('\n');
      await writeFile(join(folder, name), text);
      files.push(join(folder, name));
    } catch {
      break;
    }
  }
  return files.map((file) => relative(runFolder, file));
}
