import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { CellArch } from '../arch/index.ts';
import { matrixSchema } from '../config/schema/matrix.ts';
import { suiteSchema } from '../config/schema/suite.ts';
import type { Suite } from '../config/suite.ts';
import { foldEvents } from '../events/fold.ts';
import { loadRun } from '../events/load-run.ts';
import type { CellResult, RunResult } from '../events/result.ts';
import type { StoredEvent, TestFinished } from '../events/types.ts';
import { DEFAULT_RELEASE } from '../releases/index.ts';
import { type RunOptions, runMatrix } from '../run/schedule/run.ts';
import type { RunSuite } from '../run/suite/suite-process.ts';
import { type MemoryOptions, type MemoryProvider, memoryProvider } from '../targets/memory/provider.ts';

/** For tests of `run`: whole runs on machines in memory, with suites that are functions, in milliseconds. */
export interface Given {
  /** The suites by name, as in suite.yaml; default: one, `s`, empty. */
  readonly suites?: Readonly<Record<string, object>>;
  /** Default: amd64. */
  readonly arch?: readonly CellArch[];
  /** Files of the project: `suites/s/a.scenario.ts`. */
  readonly files?: Readonly<Record<string, string>>;
  /** As in a matrix; deadlines are not measured unless `scale` is undefined. */
  readonly limits?: object;
  /** As in a matrix; default: machines that fail are not replaced. */
  readonly retries?: object;
  readonly machines?: MemoryOptions;
  /** Replaces the default runner of suites, for a test that lets machines die. */
  readonly provider?: MemoryProvider;
  readonly runSuite?: RunSuite;
  /** The names of the cells to run; default: all. */
  readonly only?: readonly string[];
  readonly run?: Partial<RunOptions>;
  /** The folder of an earlier run, to reuse its cache and leases. */
  readonly place?: string;
}

export interface MemoryRun extends AsyncDisposable {
  readonly exitCode: number;
  readonly result: RunResult;
  readonly cell: CellResult;
  /** `acquire passed`, in order, of the first cell. */
  readonly steps: readonly string[];
  readonly provider: MemoryProvider;
  readonly events: readonly StoredEvent[];
  /** The remaining files of leases. */
  readonly leases: readonly string[];
  /** Cache, state and the project. */
  readonly place: string;
  /** The run's own folder. */
  readonly folder: string;
}

/** A run on machines in memory. Its files are removed on disposal. */
export async function runInMemory(given: Given = {}): Promise<MemoryRun> {
  const place = given.place ?? (await mkdtemp(join(tmpdir(), 'harness-run-')));
  const project = join(place, 'project');
  await mkdir(project, { recursive: true });
  for (const [path, text] of Object.entries(given.files ?? {})) {
    await mkdir(dirname(join(project, path)), { recursive: true });
    await writeFile(join(project, path), text);
  }
  const suites = Object.entries(given.suites ?? { s: {} });
  const arch = given.arch ?? ['amd64'];
  const limits = { scale: 1, ...given.limits };
  const retries = given.retries ?? { infra: 0, emulator: 0 };
  const config = matrixSchema.parse({ arch, suite: suites.map(([name]) => name), limits, retries });
  const cells = arch.flatMap((one) =>
    suites.map(([name, written]) => ({
      name: `${one}/memory/${name}`,
      arch: one,
      target: 'memory' as const,
      suite: suiteNamed(name, written, project),
      release: DEFAULT_RELEASE,
      voting: true,
    })),
  );
  const asked = cells.filter(({ name }) => given.only?.includes(name) ?? true);
  const provider = given.provider ?? memoryProvider(given.machines);
  const events: StoredEvent[] = [];
  const { exitCode, folder } = await runMatrix({
    matrix: { ...config, name: 'm' },
    cells: asked,
    project,
    cache: join(place, 'cache'),
    state: join(place, 'state'),
    providers: async () => provider,
    version: '0',
    argv: [],
    git: { sha: '0', dirty: false },
    keep: false,
    // Tests of this feature turn it on.
    control: false,
    bench: true,
    cold: given.machines?.snapshots !== true,
    interrupt: new AbortController().signal,
    onEvent: (event) => void events.push(event),
    onProgress: () => {},
    onEnd: async () => {},
    runSuite: given.runSuite ?? passes,
    ...given.run,
  });
  const result = given.run?.resume ? await loadRun(folder) : foldEvents(events);
  const cell = result.cells[0]!;
  return {
    exitCode,
    result,
    cell,
    steps: cell.steps.map(({ step, verdict }) => `${step} ${verdict}`),
    provider,
    events,
    leases: await readdir(join(place, 'state', 'leases')),
    place,
    folder,
    [Symbol.asyncDispose]: () => rm(place, { recursive: true, force: true }),
  };
}

function suiteNamed(name: string, written: object, project: string): Suite {
  return { ...suiteSchema.parse(written), name, folder: join(project, 'suites', name) };
}

/** A suite whose scenarios end with these verdicts at once; it has no benchmarks. */
export function reports(...verdicts: readonly TestFinished['verdict'][]): RunSuite {
  return async ({ context: { cell, step }, emit }) => {
    const finished = (step === 'scenarios' ? verdicts : []).map((verdict, index): TestFinished => {
      const attempts = verdict === 'skipped' ? [] : [{ verdict: attemptOf(verdict), durationMs: 1, errors: [] }];
      const name = `test ${index + 1}`;
      return { type: 'test.finished', cell, step, file: 'a.scenario.ts', name, verdict, durationMs: 1, attempts };
    });
    for (const test of finished) await emit(test);
    return { finished, files: finished.length > 0 ? 1 : 0 };
  };
}

function attemptOf(verdict: TestFinished['verdict']) {
  return verdict === 'flaky' || verdict === 'skipped' ? ('passed' as const) : verdict;
}

/** A suite for tests about something else. */
export const passes: RunSuite = reports('passed');

/** A suite that runs until it is cut short. */
export const endless: RunSuite = ({ signal }) =>
  new Promise((resolve) => {
    const cut = () => resolve({ finished: [], files: 1, cutShort: signal.reason as Error });
    if (signal.aborted) cut();
    signal.addEventListener('abort', cut, { once: true });
  });
