import { z } from 'zod';
import { archNames } from '../harness/arch/index.ts';
import { STEPS } from '../harness/events/types.ts';
import { verdictNames } from '../harness/events/verdicts.ts';

/** Version of `results.json`. It is raised when a reader of the old one could go wrong. */
export const RESULTS_VERSION = 2;

const arch = z.enum(archNames);
/** What a cell runs on: one architecture, or several joined by `+`. */
const cellArch = z.string().regex(/^[a-z0-9]+(\+[a-z0-9]+)*$/);
const ms = z.number().min(0).describe('Milliseconds.');
const time = z.string().describe('ISO 8601, UTC.');
const verdict = z.enum(verdictNames);
const accelerator = z.enum(['native', 'kvm', 'tcg', 'qemu-user']);
const interval = z.object({ low: z.number(), high: z.number() }).describe('95 % confidence interval.');

const error = z.object({
  type: z.string(),
  message: z.string(),
  hint: z.string().optional(),
  stack: z.string().optional(),
  diff: z.string().optional(),
  file: z.string().optional(),
  line: z.int().optional(),
  column: z.int().optional(),
  causes: z.array(z.string()).readonly().optional(),
  consoleTail: z.array(z.string()).readonly().optional().describe('Last lines of the console, oldest first.'),
});

const step = z.object({
  step: z.enum(STEPS),
  verdict,
  startedAt: time,
  durationMs: ms,
  phases: z.array(z.object({ name: z.string(), durationMs: ms })).readonly(),
  error: error.optional(),
  note: z.string().optional(),
});

const facts = z.object({
  arch,
  kind: z.string(),
  accelerator,
  cpu: z.string(),
  machine: z.string().optional(),
  vcpus: z.int(),
  memoryBytes: z.number(),
  kernel: z.string().optional(),
  emulator: z.string().optional(),
  release: z.string().optional().describe('The Debian release of its system.'),
  image: z.string().optional(),
  resumed: z.string().optional(),
});

const atMs = z.number().describe('Milliseconds since the attempt began; negative: a hook before it.');
const logEntry = z
  .discriminatedUnion('type', [
    z.object({ type: z.literal('printed'), atMs, stream: z.enum(['stdout', 'stderr']), text: z.string() }),
    z.object({
      type: z.literal('command'),
      atMs,
      node: z.string().optional().describe('Which machine of a cluster.'),
      argv: z.array(z.string()).readonly(),
      exitCode: z.int().optional().describe('Absent: it did not finish.'),
      error: z.string().optional(),
      stdout: z.string(),
      stderr: z.string(),
      durationMs: ms,
    }),
    z.object({ type: z.literal('cut'), entries: z.int(), chars: z.int() }),
  ])
  .describe('Output, a command on the machine, or the amount left out in the middle.');

const attempt = z.object({
  verdict: z.enum(['passed', 'failed', 'infra', 'emulator']),
  durationMs: ms,
  errors: z.array(error).readonly(),
  startedAt: time.optional(),
  log: z.array(logEntry).readonly().optional().describe('Output and commands of the test, in order.'),
  console: z
    .array(z.string())
    .readonly()
    .optional()
    .describe("The machine's console while it ran; only if the attempt did not pass."),
});

const quarantine = z.object({
  link: z.string(),
  owner: z.string().optional(),
  expires: z.string().describe('The last day on which it does not vote, in UTC.'),
  where: z.string().describe('File, line and column.'),
  state: z.enum(['active', 'expired']),
  daysLeft: z.int(),
  passes: z.int().describe('Runs in a row that passed, this one included.'),
  ready: z.literal(true).optional().describe('It has passed often enough to be removed.'),
});

const test = z.object({
  step: z.enum(['tests', 'scenarios', 'benchmarks']),
  file: z.string().describe("Relative to the suite's folder."),
  name: z.string(),
  nth: z
    .int()
    .optional()
    .describe('Position among the tests of this name in this file, from 0; absent: the name is unique.'),
  line: z.int().optional(),
  verdict: z.enum(['passed', 'failed', 'flaky', 'skipped', 'infra', 'emulator', 'incomplete']),
  startedAt: time.optional(),
  durationMs: ms,
  attempts: z.array(attempt).readonly(),
  note: z.string().optional(),
  place: z
    .object({ file: z.string(), line: z.int().optional() })
    .optional()
    .describe("The place of a command's test, by its results."),
  output: z.string().optional().describe("The end of the output of a command's test, if its results have it."),
  control: z
    .enum(['fails-on-control', 'passes-on-control', 'passes-here-now', 'machine-died', 'control-unknown'])
    .optional()
    .describe(
      'The result of the same test on the control architecture with the same kind of target, and of re-running it where it failed.',
    ),
  controlTries: z
    .array(
      z.object({
        place: z.enum(['there', 'here']).describe('The control architecture, or where it failed.'),
        on: z.string().describe('The cell whose kind of machine it ran on.'),
        verdict: z.enum(['passed', 'failed', 'infra', 'emulator', 'unknown']),
        reason: z.string().optional().describe('Why it could not be re-run.'),
        durationMs: ms,
        attempts: z.array(attempt).readonly(),
        facts: facts.optional(),
      }),
    )
    .readonly()
    .optional(),
  quarantine: quarantine.optional(),
});

const packageVersions = z.object({
  release: z.string().describe('The Debian release.'),
  asked: z.array(z.string()).readonly().describe('The packages that the suite names.'),
  versions: z.record(z.string(), z.string()).describe('The version of each package, dependencies included.'),
  missing: z.array(z.string()).readonly().optional().describe('Archives that the mirror did not serve completely.'),
});

const measurement = z.object({
  name: z.string(),
  file: z.string(),
  test: z.string().optional().describe('The test that measured it.'),
  clock: z.enum(['controller', 'guest', 'instructions']),
  samplesMs: z
    .array(z.number())
    .readonly()
    .describe(
      'In the order taken. One sample covers `operations` operations. By the clock `instructions`: millions of instructions.',
    ),
  operations: z.number().min(1),
  per: z.string().optional(),
  warmupSamples: z.int(),
  waited: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe("Share of the time that the machine waited for the host's processors."),
  warnings: z.array(z.string()).readonly(),
});

const selection = z
  .object({
    matrix: z.string().optional().describe('As `harness run` takes it.'),
    options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string()).readonly()])),
    prefers: z.literal(true).optional().describe('The matrix prefers one kind of target to another.'),
  })
  .describe('The selection of cells by the command line.');

const origin = z
  .object({
    ci: z.string().optional().describe('The CI that started it; absent: none.'),
    project: z.string().optional(),
    branch: z.string().optional().describe('The branch that was tested, or that a change is for.'),
    pipeline: z.string().optional().describe('The pipeline, workflow or job that started it, as the CI calls it.'),
    change: z.string().optional().describe('The pull request, merge request or change that was tested.'),
    url: z.string().optional().describe("The CI's page of it."),
  })
  .describe("The origin of the run, by the CI's variables and git.");

const cellAttempt = z.object({
  verdict,
  reason: z.string().optional(),
  startedAt: time.optional(),
  durationMs: ms,
  facts: facts.optional(),
  steps: z.array(step).readonly(),
  tests: z.array(test).readonly(),
  logs: z.array(z.object({ level: z.enum(['info', 'warn']), message: z.string() })).readonly(),
  artifacts: z.array(z.string()).readonly(),
});

const cell = z.object({
  name: z.string().describe('`arch/target/suite`, or `arch/target/suite@release` if the matrix has several releases.'),
  arch: cellArch,
  target: z.string(),
  suite: z.string(),
  release: z.string().optional().describe('The Debian release in its name.'),
  folder: z.string().optional().describe("The suite's folder in the repository; absent if it is elsewhere."),
  voting: z.boolean(),
  selection: selection.optional().describe("In a merged run: the cell's own selection, if it is not the run's."),
  verdict,
  reason: z.string().optional(),
  startedAt: time.optional(),
  durationMs: ms,
  facts: facts.optional().describe('Of the first machine.'),
  nodes: z.record(z.string(), facts).optional().describe('Of each machine of a cluster, by its name.'),
  packages: z.record(z.string(), packageVersions).optional().describe('Of each architecture of its machines.'),
  scale: z.object({ factor: z.number(), source: z.string() }).optional(),
  steps: z.array(step).readonly(),
  tests: z.array(test).readonly(),
  benchmarks: z.array(measurement).readonly(),
  logs: z.array(z.object({ level: z.enum(['info', 'warn']), message: z.string() })).readonly(),
  enter: z.string().optional(),
  artifacts: z.array(z.string()).readonly(),
  fileOutputs: z
    .array(z.object({ step: z.enum(['scenarios', 'benchmarks']), file: z.string(), log: z.array(logEntry).readonly() }))
    .readonly()
    .optional()
    .describe('Output and commands of hooks after the last test of their file.'),
  earlier: z
    .array(cellAttempt)
    .readonly()
    .optional()
    .describe('Earlier attempts, whose machine failed; all other fields are about the last.'),
  quarantine: quarantine.optional().describe('The whole cell is in quarantine.'),
  excused: z.literal(true).optional().describe('All failures are in quarantine, so the cell does not vote.'),
});

const toControl = z.discriminatedUnion('state', [
  z.object({ state: z.literal('control') }),
  z.object({
    state: z.literal('compared'),
    ratio: z.number(),
    interval: interval.optional(),
    words: z.string().optional(),
  }),
  z.object({ state: z.literal('not-comparable'), reason: z.string() }),
]);

const comparison = z.object({
  suite: z.string(),
  target: z.string(),
  release: z.string().optional(),
  file: z.string(),
  name: z.string(),
  clock: z.enum(['controller', 'guest', 'instructions']),
  per: z.string().optional(),
  results: z
    .array(
      z.object({
        cell: z.string(),
        arch: cellArch,
        accelerator: accelerator.optional(),
        summary: z
          .object({
            count: z.int(),
            min: z.number(),
            max: z.number(),
            median: z.number(),
            mad: z.number().describe('Scaled by 1.4826.'),
            interval: interval.optional(),
            outliers: z.array(z.int()).readonly().describe('Positions of samples; none is dropped.'),
          })
          .describe('Milliseconds an operation.'),
        throughput: z.number().optional().describe('Operations a second.'),
        toControl,
        warnings: z.array(z.string()).readonly(),
      }),
    )
    .readonly()
    .describe('One per architecture, the control architecture first.'),
});

const count = z.int().min(0);

/** `results.json`: the whole run for programs. */
export const resultsSchema = z
  .object({
    schemaVersion: z.literal(RESULTS_VERSION),
    run: z.string(),
    harness: z.string(),
    matrix: z.object({ name: z.string(), file: z.string().optional() }),
    control: arch,
    host: z.object({
      arch: z.string(),
      cpu: z.string(),
      cores: z.number(),
      memoryBytes: z.number(),
      kernel: z.string(),
      node: z.string(),
    }),
    git: z.object({ sha: z.string(), dirty: z.boolean() }).optional(),
    origin: origin.optional(),
    selection: selection.optional(),
    jobs: z.int(),
    jobsReason: z.string(),
    warnings: z.array(z.string()).readonly().optional().describe('Remarks on the run as a whole.'),
    startedAt: time,
    durationMs: ms,
    state: z.enum(['passed', 'failed', 'infra', 'incomplete', 'interrupted']),
    exitCode: z.int(),
    counts: z.object({
      planned: count,
      passed: count,
      failed: count,
      flaky: count,
      skipped: count,
      infra: count,
      neverRan: count,
    }),
    cells: z.array(cell).readonly(),
    controlCost: z
      .object({ tries: z.int(), durationMs: ms })
      .optional()
      .describe('The cost of re-running failed tests.'),
    comparisons: z.array(comparison).readonly().describe('Each benchmark across architectures.'),
  })
  .describe('The results of one run of the harness.');

export type Results = z.input<typeof resultsSchema>;
