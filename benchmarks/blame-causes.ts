import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestProject } from '../e2e/support/project.ts';
import { retryUntil } from '../harness/base/time.ts';
import type { StoredEvent, TestStarted } from '../harness/events/types.ts';
import type { Results } from '../reports/results-schema.ts';

type Cell = Results['cells'][number];

/** A fault: how to inject it, and the verdict that it must get. */
export interface Cause {
  readonly what: string;
  /** The body of the test; `target` is the machine. */
  readonly test: (machine: string) => string;
  readonly suite?: string;
  /** Injects the fault from outside, once the test runs. @param time number of the repetition, from 0. */
  readonly inject?: (injection: Injection) => Promise<void>;
  /** Whether the cell and its test got the right verdict. */
  readonly isNamed: (cell: Cell) => boolean;
}

export interface Injection {
  readonly project: TestProject;
  readonly cell: string;
  /** The harness's process. */
  readonly harness: number;
  readonly time: number;
}

/** The file in the project that counts the runs of the flaky test. */
export const COUNTER = 'counter';

/** A test that waits until something happens to its machine; it never ends by itself. */
const WAITS = () => `await target.sh('sleep 1000', { seconds: 60 });`;

const control = (want: string) => (cell: Cell) =>
  cell.verdict === 'failed' && cell.tests.some((test) => test.verdict === 'failed' && test.control === want);
const machine = (reason: RegExp) => (cell: Cell) => cell.verdict === 'infra' && reason.test(cell.reason ?? '');

/** Ten causes of a red cell; each has the name of its suite. */
export const CAUSES: Readonly<Record<string, Cause>> = {
  everywhere: {
    what: 'an assertion that fails everywhere',
    test: () => `expect(await target.sh('echo three')).toBe('four');`,
    isNamed: control('fails-on-control'),
  },
  'one-architecture': {
    what: 'one that fails on one architecture only',
    test: (name) => `expect(await target.sh('uname -m')).not.toBe('${name}');`,
    isNamed: control('passes-on-control'),
  },
  'every-third': {
    what: 'one that fails every third time',
    test: () => `const file = process.env.BLAME_COUNTER;
      const count = Number(readFileSync(file, 'utf8')) + 1;
      writeFileSync(file, String(count));
      expect(count % 3).not.toBe(0);`,
    isNamed: control('passes-here-now'),
  },
  'qemu-killed': {
    what: 'QEMU killed',
    test: WAITS,
    inject: async ({ project, cell }) => void process.kill(await qemuOf(project, cell), 'SIGKILL'),
    isNamed: machine(/QEMU is gone, it was ended by SIGKILL/),
  },
  'qemu-stopped': {
    what: 'QEMU stopped',
    test: WAITS,
    inject: async ({ project, cell }) => void process.kill(await qemuOf(project, cell), 'SIGSTOP'),
    isNamed: machine(/QEMU is stopped: something sent its process SIGSTOP/),
  },
  panic: {
    what: 'a panic of the guest',
    test: () =>
      `await target.sh('echo 1 > /proc/sys/kernel/sysrq; echo c > /proc/sysrq-trigger; sleep 1000', { seconds: 60 });`,
    isNamed: machine(/the kernel panicked/),
  },
  'disk-full': {
    what: 'a full disk in the guest',
    test: () => `await target.sh('fallocate -l $(df -Pk / | awk "NR == 2 {print \\\\$4}")K /fill; sync');
      await target.sh('head -c 64M /dev/zero > /var/lib/data');`,
    isNamed: machine(/its disk is full \(\/\)/),
  },
  'connection-cut': {
    what: 'the connection cut',
    test: WAITS,
    // Alternately: kill the controller's end, or take the guest's network away.
    inject: async ({ project, cell, time }) => (time % 2 === 0 ? killSsh(project, cell) : downNetwork(project, cell)),
    isNamed: machine(/SSH connection|no longer answers commands/),
  },
  'suite-killed': {
    what: "the suite's process killed",
    test: () => 'await new Promise(() => {});',
    // Alternately: the suite's process, or its child that runs the file.
    inject: async ({ cell, harness, time }) => killSuite(cell, harness, time % 2 === 0),
    isNamed: machine(/its process was ended by SIGKILL, and not by the harness/),
  },
  'out-of-memory': {
    what: 'out of memory in the guest',
    test: () => `await target.sh('perl -e \\'push @a, "x" x 1048576 while 1\\'', { seconds: 60 });`,
    isNamed: machine(/it ran out of memory|the kernel panicked/),
  },
};

/** The parts of a machine's handle that are needed here. */
interface WrittenHandle {
  readonly pid: number;
  readonly ssh: { readonly socket: string; readonly options: readonly string[]; readonly destination: string };
}

async function handleOf(project: TestProject, cell: string): Promise<WrittenHandle> {
  return JSON.parse(await project.read(join('cells', cell, 'target.json'))) as WrittenHandle;
}

async function qemuOf(project: TestProject, cell: string): Promise<number> {
  return (await handleOf(project, cell)).pid;
}

/** Kills the ssh process that holds a machine's shared connection. */
async function killSsh(project: TestProject, cell: string): Promise<void> {
  const { ssh } = await handleOf(project, cell);
  const found = await processes((argv) => argv.includes('-M') && argv.includes(ssh.socket));
  if (found.length === 0) throw new Error(`no ssh has the connection ${ssh.socket}`);
  for (const pid of found) kill(pid);
}

/** Takes the guest's network away from inside, with a command that is not awaited. */
async function downNetwork(project: TestProject, cell: string): Promise<void> {
  const { exitCode, stderr } = await project.harness([
    ...['shell', cell, '--', 'sh', '-c'],
    '(sleep 1; ip -o link | cut -d: -f2 | grep -v lo | xargs -I{} ip link set {} down) > /dev/null 2>&1 &',
  ]);
  if (exitCode !== 0) throw new Error(`cannot take the network of ${cell} away: ${stderr}`);
}

/** @param whole the suite's process; otherwise its child that runs the file. */
async function killSuite(cell: string, harness: number, whole: boolean): Promise<void> {
  const suite = cell.split('/').at(-1)!;
  const find = async () => {
    const mains = await processes(
      (argv, parent) => parent === harness && argv.some((word) => /scenario\/process\.[tj]s$/.test(word)),
    );
    for (const main of mains) {
      const workers = await processes((_argv, parent) => parent === main);
      const own = await Promise.all(workers.map(async (pid) => [pid, await runsSuite(pid, suite)] as const));
      const worker = own.find(([, its]) => its);
      if (worker) return { main, worker: worker[0] };
    }
    throw new Error(`no process runs the suite ${suite}`);
  };
  const { main, worker } = await retryUntil(find, { deadlineMs: 10_000, everyMs: 100 });
  kill(whole ? main : worker);
}

/** Whether a process runs the given suite: its test writes the process number into a file. */
async function runsSuite(pid: number, suite: string): Promise<boolean> {
  return readFile(pidFile(suite), 'utf8').then(
    (text) => Number(text) === pid,
    () => false,
  );
}

/** The file into which the process of a suite's file writes its number. */
export function pidFile(suite: string): string {
  return join(process.env['BLAME_FOLDER'] ?? '/tmp', `${suite}.pid`);
}

async function processes(fits: (argv: readonly string[], parent: number) => boolean): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const [command, stat] = await Promise.all(
      ['cmdline', 'stat'].map((file) => readFile(`/proc/${name}/${file}`, 'utf8').catch(() => '')),
    );
    const parent = Number(stat!.slice(stat!.lastIndexOf(')') + 2).split(' ')[1]);
    if (command && fits(command.split('\0'), parent)) found.push(Number(name));
  }
  return found;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // The process has already ended.
  }
}

/** The event that says that a cell's test runs. */
export function begun(cell: string, name: string): (event: StoredEvent) => event is StoredEvent & TestStarted {
  return (event): event is StoredEvent & TestStarted =>
    event.type === 'test.started' && event.cell === cell && event.name === name;
}

/** Sets the counter so that the next run of the flaky test is the third. */
export async function nextIsThird(folder: string): Promise<void> {
  await writeFile(join(folder, COUNTER), '2');
}
