import { appendFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { median } from 'simple-statistics';
import { makeProject, suiteYaml, type TestProject } from '../e2e/support/project.ts';
import { IN_GUEST, ON_CONTROLLER } from './decision-work.ts';

/** The measurements of one run: samples by benchmark name. */
export interface PoolRun {
  /** Milliseconds since 1970 at its end. */
  readonly at: number;
  /** Load average of this machine over the last minute. */
  readonly load: number;
  readonly benchmarks: Readonly<Record<string, { readonly samplesMs: readonly number[]; readonly waited?: number }>>;
}

/** A benchmark of the pool: work of a given size, measured by one of three clocks. */
export interface PoolBenchmark {
  readonly name: string;
  readonly clock: 'onController' | 'inGuest' | 'instructions';
  readonly work: string;
  readonly size: number;
}

/** Samples of a benchmark in one run. */
const SAMPLES = { onController: 10, inGuest: 6, instructions: 6 };
const WARMUP = { onController: 3, inGuest: 1, instructions: 1 };

function workOf({ clock, work }: PoolBenchmark) {
  return (clock === 'onController' ? ON_CONTROLLER : IN_GUEST)[work]!;
}

/** A project with one suite that takes these measurements. */
export function poolProject(benchmarks: readonly PoolBenchmark[]): Promise<TestProject> {
  const tests = benchmarks.map((benchmark) => {
    const { name, clock, size } = benchmark;
    const code = workOf(benchmark).code(size);
    const what = clock === 'onController' ? `() => run((n) => { ${code} }, ${size})` : JSON.stringify(code);
    const options = `{ samples: ${SAMPLES[clock]}, warmup: ${WARMUP[clock]} }`;
    return `test(${JSON.stringify(name)}, ({ measure }) => measure.${clock}(${what}, ${options}));`;
  });
  return makeProject({
    'matrices/decision.yaml': 'arch: [amd64]\nsuite: [decision]\nlimits: {scale: 30}\n',
    'suites/decision/suite.yaml': suiteYaml(),
    'suites/decision/a.scenario.ts': "import { test } from 'multiarch-harness';\ntest('is there', () => {});\n",
    'suites/decision/a.bench.ts': `import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { test } from 'multiarch-harness';
// Use the result, or the engine would optimise the work away.
const run = async (work, n) => { if (work(n) === 'never') throw new Error(); };
${tests.join('\n')}
`,
  });
}

/** Makes one real run and appends it to a file. @throws Error when it did not pass. */
export async function addRun(project: TestProject, file: string): Promise<PoolRun> {
  const { exitCode, stderr } = await project.harness(['run', 'decision', '--jobs', '1']);
  if (exitCode !== 0) throw new Error(`the run ended with ${exitCode}:\n${stderr.split('\n').slice(-30).join('\n')}`);
  const { cells } = await project.results();
  const benchmarks = cells[0]!.benchmarks.map(({ name, samplesMs, waited }) => [
    name,
    { samplesMs, ...(waited === undefined ? {} : { waited }) },
  ]);
  const run: PoolRun = { at: Date.now(), load: loadavg()[0]!, benchmarks: Object.fromEntries(benchmarks) };
  await appendFile(file, `${JSON.stringify(run)}\n`);
  return run;
}

/** Work of which each run also measures a slower version, and by how much that is slower. */
export const SLOWED = {
  onController: {
    by: 0.1,
    works: ['integer arithmetic', 'regular expression', 'substitution', 'map lookup', 'calls of a closure'],
  },
  inGuest: { by: 0, works: [] },
  instructions: {
    by: 0.01,
    works: ['a loop', 'sums in a shell', 'trimming in a shell', 'tests in a shell', 'replacing bytes'],
  },
} as const;

/** The work per clock. In the guest only a little: starting a command takes longer there than running it. */
const MEASURED: Readonly<Record<PoolBenchmark['clock'], readonly string[]>> = {
  onController: Object.keys(ON_CONTROLLER),
  inGuest: ['a loop', 'starting processes', 'SHA-256', 'compression', 'sorting lines'],
  instructions: Object.keys(IN_GUEST),
};

/**
 * The benchmarks of the pool, and a slower version of some. In a guest, starting the program also takes time, so 1 %
 * more work takes less than 1 % more time; the actual difference is measured in instructions, which are repeatable.
 */
export async function poolBenchmarks(scratch: string): Promise<PoolBenchmark[]> {
  const { by, works } = SLOWED.instructions;
  const twoSizes = works.flatMap((work): PoolBenchmark[] =>
    [1, 2].map((times) => ({
      name: `${work} × ${times}`,
      clock: 'instructions',
      work,
      size: IN_GUEST[work]!.size * times,
    })),
  );
  await using project = await poolProject(twoSizes);
  const { benchmarks } = await addRun(project, scratch);
  const took = (work: string, times: number) => median([...benchmarks[`${work} × ${times}`]!.samplesMs]);
  const more = (work: string) => 1 + (by * took(work, 1)) / (took(work, 2) - took(work, 1));
  return (['onController', 'inGuest', 'instructions'] as const).flatMap((clock) =>
    MEASURED[clock].flatMap((work): PoolBenchmark[] => {
      const benchmark = { name: `${clock}: ${work}`, clock, work, size: 0 };
      const { size } = workOf(benchmark);
      const slowed = (SLOWED[clock].works as readonly string[]).includes(work);
      const factor = clock === 'instructions' && slowed ? more(work) : 1 + SLOWED[clock].by;
      const slower = { ...benchmark, name: `${benchmark.name}, slower`, size: Math.round(size * factor) };
      return [{ ...benchmark, size }, ...(slowed ? [slower] : [])];
    }),
  );
}
