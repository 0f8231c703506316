import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { cacheFolder } from '../../harness/base/folders.ts';
import { retryUntil } from '../../harness/base/time.ts';
import { readEvents } from '../../harness/events/reader.ts';
import type { StoredEvent } from '../../harness/events/types.ts';
import type { Results } from '../../reports/results-schema.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** A project in a temporary folder, with its own leases. Images come from a cache that all tests share. */
export interface TestProject extends AsyncDisposable {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs `harness ARGS…` to its end. */
  harness(
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Promise<{ exitCode: number; stdout: string; stderr: string }>;
  /** Starts `harness ARGS…`; the caller ends it. */
  start(
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Promise<{ exitCode?: number | undefined; stderr?: unknown }> & {
    readonly pid?: number | undefined;
    readonly stderr: NodeJS.ReadableStream | null;
    kill(signal: NodeJS.Signals): boolean;
  };
  /** A file of the newest run. */
  read(name: string): Promise<string>;
  results(): Promise<Results>;
  /** Resolves with the first matching event of the newest run, once it is on disk. */
  event<T extends StoredEvent>(fits: (event: StoredEvent) => event is T, deadlineMs?: number): Promise<T>;
}

/** The folder for a project's short-lived files. */
const temporary = (folder: string) => join(folder, 'tmp');

/** Makes a project from file names and texts. */
export async function makeProject(files: Readonly<Record<string, string>>): Promise<TestProject> {
  const folder = await mkdtemp(join(tmpdir(), 'harness-e2e-'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  await mkdir(temporary(folder));
  const env = {
    HARNESS_STATE: join(folder, 'state'),
    TMPDIR: temporary(folder),
    // As the installed program does; `main.ts` itself does not enable the compile cache.
    NODE_COMPILE_CACHE: join(cacheFolder(), 'node'),
    NO_COLOR: '1',
  };
  const main = join(root, 'harness/cli/main.ts');
  const latest = (name: string) => join(folder, '.harness/runs/latest', name);
  const start = (args: readonly string[], extra: Readonly<Record<string, string>> = {}) =>
    execa(process.execPath, [main, ...args], {
      cwd: folder,
      env: { VITEST: undefined, GITHUB_STEP_SUMMARY: undefined, GITHUB_ACTIONS: undefined, ...env, ...extra },
      reject: false,
      stdin: 'ignore',
    });
  return {
    folder,
    env,
    start,
    async harness(args, extra) {
      const { exitCode, stdout, stderr } = await start(args, extra);
      return { exitCode: exitCode ?? -1, stdout: String(stdout), stderr: String(stderr) };
    },
    read: (name) => readFile(latest(name), 'utf8'),
    results: async () => JSON.parse(await readFile(latest('results.json'), 'utf8')) as Results,
    event: (fits, deadlineMs = 600_000) =>
      retryUntil(
        async () => {
          const { events } = await readEvents(latest('events.jsonl'));
          const found = events.find(fits);
          if (!found) throw new Error(`the event has not come; the last: ${events.slice(-4).map(shown).join(' · ')}`);
          return found;
        },
        { deadlineMs, everyMs: 100 },
      ),
    async [Symbol.asyncDispose]() {
      // Removes what a failed test left running, as a user would.
      await start(['gc']);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** An event as text, for errors: a run's last event shows why another one has not come. */
function shown(event: StoredEvent): string {
  return JSON.stringify(event).slice(0, 300);
}

/** The failures of a run, in words: comparing this with an empty list puts the reasons into the test's log. */
export function troubles({ cells }: Results): string[] {
  return cells.flatMap(({ name, tests, reason, verdict }) => [
    ...(verdict === 'passed' ? [] : [`${name} ${verdict}: ${reason}`]),
    ...tests
      .filter((test) => !['passed', 'skipped'].includes(test.verdict))
      .map((test) => `${name} ${test.file} ${test.name} ${test.verdict}: ${JSON.stringify(test.attempts.at(-1))}`),
  ]);
}

/** Everything that a project's runs have left behind: processes that name it, sockets, overlays, socket folders. */
export async function leftovers(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.includes(folder)) found.push(command.replaceAll('\0', ' ').slice(0, 200));
  }
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const place = join(entry.parentPath, entry.name);
    const isTemporary = dirname(entry.parentPath) === temporary(folder);
    if (entry.isSocket() || entry.name.endsWith('.qcow2') || isTemporary) found.push(place);
  }
  return found;
}

/** A suite without packages: its image is the base that every suite shares. */
export function suiteYaml(extra = ''): string {
  return `machine: {vcpus: 1, memory: 256}\n${extra}`;
}

/** Without retries on another machine. */
const ONE_MACHINE = 'retries: {infra: 0, emulator: 0}\n';

/** A matrix on amd64 with deadlines that do not depend on how busy this machine is. */
export function matrixYaml(suites: readonly string[], extra = ''): string {
  return `arch: [amd64]\nsuite: [${suites.join(', ')}]\nlimits: {scale: 10}\n${/^retries:/m.test(extra) ? '' : ONE_MACHINE}${extra}`;
}
