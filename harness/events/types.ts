import type { ArchName, CellArch } from '../arch/index.ts';
import type { TestName } from './identity.ts';
import type { TestSelection } from './test-selection.ts';
import type { Verdict } from './verdicts.ts';

/** Version of the event stream. A reader refuses a newer one and upgrades an older one. */
export const EVENTS_VERSION = 1;

export type { Verdict };

/** The executor of the target's instructions. */
export type Accelerator = 'native' | 'kvm' | 'tcg' | 'qemu-user';

/** Whether instructions are translated by software: such a target says little about the real architecture. */
export function isEmulated(accelerator: Accelerator): boolean {
  return accelerator === 'tcg' || accelerator === 'qemu-user';
}

/** The steps of a cell, in order. */
export const STEPS = ['image', 'acquire', 'deploy', 'tests', 'scenarios', 'benchmarks', 'collect', 'release'] as const;
export type StepName = (typeof STEPS)[number];

/** The steps that have tests: commands, vitest scenarios, benchmarks. */
export type TestStep = Extract<StepName, 'tests' | 'scenarios' | 'benchmarks'>;

/** The machine that the harness itself runs on. */
export interface HostFacts {
  readonly arch: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly node: string;
}

/** Facts about a target; in every report, because no figure means anything without them. */
export interface TargetFacts {
  readonly arch: ArchName;
  readonly kind: string;
  readonly accelerator: Accelerator;
  /** CPU model as asked of the emulator, or as the machine reports it. */
  readonly cpu: string;
  readonly machine?: string;
  readonly vcpus: number;
  readonly memoryBytes: number;
  readonly kernel?: string;
  readonly emulator?: string;
  /** The Debian release of its system; absent if the system is the machine's own. */
  readonly release?: string;
  /** The key of the image it was started from. */
  readonly image?: string;
  /** When its snapshot was made; absent: it was booted. */
  readonly resumed?: string;
}

export interface PlannedCell {
  /** `arch/target/suite`, or `arch/target/suite@release`; see `cellName`. */
  readonly name: string;
  readonly arch: CellArch;
  readonly target: string;
  readonly suite: string;
  /** The Debian release in its name, if the matrix has several. */
  readonly release?: string;
  /** The suite's folder in the repository, or in a project outside of one; absent: it is elsewhere. */
  readonly folder?: string;
  readonly voting: boolean;
  /** Which tests of its suite were to run; absent: all. */
  readonly chosen?: TestSelection;
  /** In a merged run: the selection of the cell, if it is not that of the first part. */
  readonly selection?: Selection;
}

/** An error as data: printable and serialisable, independent of its process. */
export interface ErrorData {
  /** Class name: `AssertionError`, `InfraError`, … */
  readonly type: string;
  readonly message: string;
  readonly hint?: string;
  readonly stack?: string;
  /** Unified diff of expected and actual, if the assertion had one. */
  readonly diff?: string;
  /** Where in the suite, relative to its folder: 1-based. */
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** The messages of the causes, outermost first. */
  readonly causes?: readonly string[];
  /** The last lines of the target's console, oldest first. */
  readonly consoleTail?: readonly string[];
}

/** Text that a test's process printed. */
export interface PrintedEntry {
  readonly type: 'printed';
  /** Milliseconds since the attempt began; negative: a hook before it. */
  readonly atMs: number;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

/** A command that a test ran on a machine. */
export interface CommandEntry {
  readonly type: 'command';
  /** When it began, in milliseconds since the attempt began; negative: a hook before it. */
  readonly atMs: number;
  /** Which machine of a cluster. */
  readonly node?: string;
  readonly argv: readonly string[];
  /** Absent: it did not finish; `error` says why. */
  readonly exitCode?: number;
  readonly error?: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

/** Marks entries left out because there were too many. */
export interface CutEntry {
  readonly type: 'cut';
  /** How many entries. */
  readonly entries: number;
  /** How many characters they had. */
  readonly chars: number;
}

/** The visible actions of a test, in order of time. Bounded: see `bounded` in `events/log.ts`. */
export type LogEntry = PrintedEntry | CommandEntry | CutEntry;

/** One try of a test; a retried test has several. */
export interface Attempt {
  readonly verdict: 'passed' | 'failed' | 'infra' | 'emulator';
  readonly durationMs: number;
  readonly errors: readonly ErrorData[];
  /** ISO 8601, UTC. Absent if unknown: tests of other tools, events of old versions. */
  readonly startedAt?: string;
  /** What it printed and ran on the machine; absent: nothing. */
  readonly log?: readonly LogEntry[];
  /** Output of the machine's console while it ran, oldest line first. Only for an attempt that did not pass. */
  readonly console?: readonly string[];
}

/** The clock that timed a benchmark; `instructions`: a guest's clock that counts what it executes. */
export type BenchClock = 'controller' | 'guest' | 'instructions';

/** One benchmark's measurement in one cell. */
export interface Measurement {
  readonly name: string;
  readonly clock: BenchClock;
  /**
   * Duration of each sample in milliseconds, in the order taken. One sample covers `operations` operations. By the clock
   * `instructions` a nanosecond is an instruction, so that these are millions of instructions.
   */
  readonly samplesMs: readonly number[];
  /** Operations in one sample, 1 or more. */
  readonly operations: number;
  /** What an operation is, singular, for a throughput: `request`, `SET`. Absent: reported as time. */
  readonly per?: string;
  readonly warmupSamples: number;
  /**
   * The share of the time, 0 to 1, that the machine was ready to run but the host's processors were busy with something
   * else. Absent: unknown.
   */
  readonly waited?: number;
  /** Remarks on the measurement's quality, for people. */
  readonly warnings: readonly string[];
}

/** A part of a long step, for the account of where time went. */
export interface Phase {
  readonly name: string;
  readonly durationMs: number;
}

/** The choices of a command line, so that the same cells can be chosen again. */
export interface Selection {
  /** The matrix as `harness run` takes it; absent: none was named, and none was found. */
  readonly matrix?: string;
  /** The options by the names that the command line's parser gives them. Paths are the project's where they are below it. */
  readonly options: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  /** The matrix prefers one kind of target to another: which one a cell has depends on the machine that is asked. */
  readonly prefers?: true;
}

/** The origin of a run, as in a CI's table: read from the CI's variables, else from git. */
export interface Origin {
  /** The CI, such as `GitHub Actions`; absent: it was started by hand. */
  readonly ci?: string;
  /** `owner/name` of the repository, else the name of its folder. */
  readonly project?: string;
  /** The branch that was tested, or that a change is for. */
  readonly branch?: string;
  /** The trigger: a pipeline, a workflow, a job, as the CI calls it. */
  readonly pipeline?: string;
  /** The pull request, merge request or change that was tested: `#12`, `!12`, `901234,3`. */
  readonly change?: string;
  /** Where the CI shows it. */
  readonly url?: string;
}

/** Tests, or whole cells, that are known to fail and do not vote until a certain day. */
export interface QuarantineEntry {
  /** Glob on the full name of a test; absent: the whole cell. */
  readonly test?: string;
  /** Glob on the name of a cell. */
  readonly cell?: string;
  readonly arch?: readonly string[];
  readonly target?: readonly string[];
  readonly link: string;
  readonly owner?: string;
  /** The last day on which it does not vote, in UTC: `2026-12-31`. */
  readonly expires: string;
  /** `quarantine.yaml:3:5`. */
  readonly where: string;
  /** Passed runs in a row up to the previous run, counting those with something that it matches. */
  readonly passedBefore: number;
}

export interface RunStarted {
  readonly type: 'run.started';
  readonly run: string;
  readonly harness: string;
  /** Its file as the project has it; absolute where that is elsewhere, absent where there is none. */
  readonly matrix: { readonly name: string; readonly file?: string };
  readonly control: ArchName;
  readonly host: HostFacts;
  readonly cells: readonly PlannedCell[];
  /** How many cells at once, and why. */
  readonly jobs: number;
  readonly jobsReason: string;
  readonly git?: { readonly sha: string; readonly dirty: boolean };
  /** Absent in events of before it was noted. */
  readonly origin?: Origin;
  readonly argv: readonly string[];
  /** Absent in events of before it was noted. */
  readonly selection?: Selection;
  /** Digests of the files that define it, by name; absent in events of old versions. */
  readonly inputs?: Readonly<Record<string, string>>;
  /** What the project had in quarantine when the run began; absent: nothing. */
  readonly quarantine?: readonly QuarantineEntry[];
}
/** An unfinished run continues: the results of these cells so far do not count. */
export interface RunResumed {
  readonly type: 'run.resumed';
  readonly run: string;
  /** The cells that start over. */
  readonly cells: readonly string[];
  readonly jobs: number;
  readonly jobsReason: string;
  readonly argv: readonly string[];
}
export interface StepStarted {
  readonly type: 'step.started';
  readonly cell: string;
  readonly step: StepName;
  readonly deadlineMs?: number;
}
export interface StepFinished {
  readonly type: 'step.finished';
  readonly cell: string;
  readonly step: StepName;
  readonly verdict: Verdict;
  readonly durationMs: number;
  readonly phases?: readonly Phase[];
  readonly error?: ErrorData;
  /** Why it was skipped, what it found: one sentence. */
  readonly note?: string;
}
export interface CellFacts {
  readonly type: 'cell.facts';
  readonly cell: string;
  /** Of the first machine. */
  readonly facts: TargetFacts;
  /** Of each machine of a cluster, by its name. */
  readonly nodes?: Readonly<Record<string, TargetFacts>>;
}
/** The Debian packages that the machines of an architecture are made of, known when their image is. */
export interface CellPackages extends PackageVersions {
  readonly type: 'cell.packages';
  readonly cell: string;
  readonly arch: ArchName;
}
/** Packages of one release on one architecture. */
export interface PackageVersions {
  readonly release: string;
  /** Those that the suite names. */
  readonly asked: readonly string[];
  /** The version of each, dependencies included. */
  readonly versions: Readonly<Record<string, string>>;
  /** Archives that the mirror did not serve in one piece: what they have newer is not there. */
  readonly missing?: readonly string[];
}
/** How many times slower than this host the target is; multiplies every deadline of the suite. */
export interface CellScale {
  readonly type: 'cell.scale';
  readonly cell: string;
  readonly factor: number;
  /** The source of the factor; `snapshot`: it was measured before the machine was saved, on the same kind of host. */
  readonly source: 'measured' | 'bounded' | 'fixed' | 'snapshot';
  readonly hostMs?: number;
  readonly guestMs?: number;
}
/** The tests in a file, known before the first of them runs. */
export interface TestsPlanned {
  readonly type: 'tests.planned';
  readonly cell: string;
  readonly step: 'scenarios' | 'benchmarks';
  readonly tests: readonly TestName[];
}
export interface TestStarted extends TestName {
  readonly type: 'test.started';
  readonly cell: string;
}
export interface TestFinished extends TestName {
  readonly type: 'test.finished';
  readonly cell: string;
  readonly step: TestStep;
  readonly line?: number;
  readonly verdict: Exclude<Verdict, 'unsupported' | 'incomplete'>;
  readonly durationMs: number;
  readonly attempts: readonly Attempt[];
  /** Why it was skipped, or why it failed without having run. */
  readonly note?: string;
  /** Place of a command's test according to its results: below the source folder. */
  readonly place?: { readonly file: string; readonly line?: number };
  /** The end of its output, if its results have it. */
  readonly output?: string;
}
export interface BenchmarkFinished {
  readonly type: 'benchmark.finished';
  readonly cell: string;
  readonly file: string;
  /** The full name of the test that measured it; absent in events of before it was written down. */
  readonly test?: string;
  readonly measurement: Measurement;
}
/** Output and commands of a file's hooks after its last test. */
export interface FileOutput {
  readonly type: 'file.output';
  readonly cell: string;
  readonly step: 'scenarios' | 'benchmarks';
  readonly file: string;
  readonly log: readonly LogEntry[];
}
/** A cell's machine failed, and the cell starts over on another: everything so far belongs to this attempt. */
export interface CellRetried {
  readonly type: 'cell.retried';
  readonly cell: string;
  /** Which attempt ended, from 1. */
  readonly attempt: number;
  readonly verdict: Verdict;
  readonly reason?: string;
  readonly durationMs: number;
  /** Files kept of its machine, relative to the run's folder. */
  readonly artifacts: readonly string[];
}
/** Where a failed test is re-run: `there` is the control architecture, `here` where it failed. */
export type ControlPlace = 'there' | 'here';
/** Failed tests of a cell are about to be re-run. */
export interface ControlStarted {
  readonly type: 'control.started';
  readonly cell: string;
  readonly place: ControlPlace;
  /** The name of the cell whose kind of machine it is. */
  readonly on: string;
  readonly tests: readonly TestName[];
}
/** A failed test was re-run, or could not be. */
export interface ControlFinished extends TestName {
  readonly type: 'control.finished';
  readonly cell: string;
  readonly place: ControlPlace;
  readonly on: string;
  /** `unknown`: it could not be re-run; `reason` says why. */
  readonly verdict: Attempt['verdict'] | 'unknown';
  readonly reason?: string;
  /** Its cost, including the start of the machine if this test was the first on it. */
  readonly durationMs: number;
  readonly attempts: readonly Attempt[];
  /** What it ran on. */
  readonly facts?: TargetFacts;
}
export interface CellLog {
  readonly type: 'log';
  readonly cell?: string;
  readonly level: 'info' | 'warn';
  readonly message: string;
}
export interface CellFinished {
  readonly type: 'cell.finished';
  readonly cell: string;
  readonly verdict: Verdict;
  readonly durationMs: number;
  /** One sentence: what decided the verdict. Absent when it passed. */
  readonly reason?: string;
  /** How to enter the target, when it was kept. */
  readonly enter?: string;
  /** Files kept of the target (console, journal), relative to the run's folder. */
  readonly artifacts?: readonly string[];
}
export interface RunFinished {
  readonly type: 'run.finished';
  readonly exitCode: number;
  readonly interrupted: boolean;
  readonly durationMs: number;
}

export type HarnessEvent =
  | RunStarted
  | RunResumed
  | StepStarted
  | StepFinished
  | CellFacts
  | CellPackages
  | CellScale
  | TestsPlanned
  | TestStarted
  | TestFinished
  | BenchmarkFinished
  | FileOutput
  | CellRetried
  | ControlStarted
  | ControlFinished
  | CellLog
  | CellFinished
  | RunFinished;

/** An event as written: one JSON object per line, newline-terminated. */
export type StoredEvent = HarnessEvent & {
  readonly v: typeof EVENTS_VERSION;
  /** Position in the stream, from 0, without gaps. */
  readonly seq: number;
  /** ISO 8601, UTC. */
  readonly at: string;
};
