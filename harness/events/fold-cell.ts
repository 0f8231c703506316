import { attemptsFrom, errorFrom } from './error-data.ts';
import { type TestName, testKey, testNames } from './identity.ts';
import type { CellAttempt, CellResult, ControlTry, StepResult, TestResult } from './result.ts';
import type { HarnessEvent, PackageVersions, PlannedCell, StepName, StoredEvent, TestStep } from './types.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Stored<T extends HarnessEvent['type']> = Extract<HarnessEvent, { type: T }> & { readonly at: string };
type OpenTest = Mutable<TestResult> & { open: boolean };
type OpenStep = Mutable<StepResult> & { open: boolean };

/** One cell while its events come in. */
export class CellFold {
  readonly #cell: Mutable<CellResult>;
  #tests: OpenTest[] = [];
  /** Unfinished tests by file and name, in the order of the plan: two tests may have the same name. */
  readonly #open = new Map<string, OpenTest[]>();
  #benchmarks: Mutable<CellResult['benchmarks'][number]>[] = [];
  #logs: CellResult['logs'][number][] = [];
  #steps: OpenStep[] = [];
  #fileOutputs: NonNullable<CellResult['fileOutputs']>[number][] = [];
  readonly #earlier: CellAttempt[] = [];
  /** Re-runs of failed tests, by the test's identity. */
  readonly #tries = new Map<string, ControlTry[]>();
  /** When the current attempt began. */
  #attemptAt: string | undefined;
  #finished = false;
  #lastAt: string | undefined;

  constructor(planned: PlannedCell) {
    this.#cell = {
      ...planned,
      verdict: 'incomplete',
      durationMs: 0,
      steps: [],
      tests: [],
      benchmarks: [],
      logs: [],
      artifacts: [],
    };
  }

  /** Whether it has ended, whatever it came to. */
  get finished(): boolean {
    return this.#finished;
  }

  add(event: StoredEvent): void {
    this.#lastAt = event.at;
    this.#cell.startedAt ??= event.at;
    this.#attemptAt ??= event.at;
    switch (event.type) {
      case 'step.started':
        this.#steps.push({
          step: event.step,
          verdict: 'incomplete',
          startedAt: event.at,
          durationMs: 0,
          phases: [],
          open: true,
        });
        break;
      case 'step.finished':
        this.#finishStep(event);
        break;
      case 'cell.facts':
        this.#cell.facts = event.facts;
        if (event.nodes) this.#cell.nodes = event.nodes;
        break;
      case 'cell.packages':
        this.#cell.packages = { ...this.#cell.packages, [event.arch]: packagesFrom(event) };
        break;
      case 'cell.scale':
        this.#cell.scale = { factor: event.factor, source: event.source };
        break;
      case 'tests.planned':
        for (const planned of event.tests) this.#plan(event.step, planned);
        break;
      case 'test.started':
        this.#openTest(event).startedAt = event.at;
        break;
      case 'test.finished':
        this.#finishTest(event);
        break;
      case 'benchmark.finished':
        this.#benchmarks.push({
          ...event.measurement,
          file: event.file,
          ...(event.test === undefined ? {} : { test: event.test }),
        });
        break;
      case 'file.output': {
        const { step, file, log } = event;
        this.#fileOutputs.push({ step, file, log });
        break;
      }
      case 'cell.retried':
        this.#beginAgain(event);
        break;
      case 'control.finished':
        this.#addTry(event);
        break;
      case 'log':
        this.#logs.push({ level: event.level, message: event.message });
        break;
      case 'cell.finished':
        this.#finishCell(event);
        break;
    }
  }

  result(): CellResult {
    const end = this.#lastAt;
    const steps = this.#stepsUntil(end);
    const tests = this.#testsUntil(end).map((test) => {
      const controlTries = this.#tries.size === 0 ? undefined : this.#tries.get(testKey(test));
      return controlTries ? { ...test, controlTries: [...controlTries] } : test;
    });
    const cell: CellResult = {
      ...this.#cell,
      steps,
      tests,
      benchmarks: [...this.#benchmarks],
      logs: [...this.#logs],
      ...(this.#fileOutputs.length > 0 ? { fileOutputs: [...this.#fileOutputs] } : {}),
      ...(this.#earlier.length > 0 ? { earlier: [...this.#earlier] } : {}),
    };
    if (!this.#finished) {
      const step = this.#steps.findLast(({ open }) => open)?.step;
      const reason = cell.startedAt ? `never finished${step ? `: it was in the step ${step}` : ''}` : 'never started';
      return { ...cell, reason, durationMs: between(cell.startedAt, end) };
    }
    const missing = tests.filter(({ verdict }) => verdict === 'incomplete').length;
    // A cell cannot have passed with unfinished tests.
    if (missing > 0 && (cell.verdict === 'passed' || cell.verdict === 'flaky')) {
      return {
        ...cell,
        verdict: 'incomplete',
        reason: `${missing} planned ${missing === 1 ? 'test' : 'tests'} never finished`,
      };
    }
    return cell;
  }

  #stepsUntil(end: string | undefined): StepResult[] {
    return this.#steps.map(({ open, ...step }) =>
      open ? { ...step, durationMs: between(step.startedAt, end) } : step,
    );
  }

  #testsUntil(end: string | undefined): TestResult[] {
    const names = testNames(this.#tests);
    return this.#tests.map(({ open, ...test }, index) => {
      const which = { ...test, ...names[index]! };
      return open && test.startedAt ? { ...which, durationMs: between(test.startedAt, end) } : which;
    });
  }

  /** Stores everything so far as an attempt, and starts over. */
  #beginAgain({ at, verdict, reason, durationMs, artifacts }: Stored<'cell.retried'>): void {
    this.#earlier.push({
      verdict,
      ...(reason === undefined ? {} : { reason }),
      ...(this.#attemptAt === undefined ? {} : { startedAt: this.#attemptAt }),
      durationMs,
      ...(this.#cell.facts === undefined ? {} : { facts: this.#cell.facts }),
      steps: this.#stepsUntil(at),
      tests: this.#testsUntil(at),
      logs: this.#logs,
      artifacts,
    });
    this.#attemptAt = undefined;
    this.#tests = [];
    this.#open.clear();
    this.#benchmarks = [];
    this.#logs = [];
    this.#steps = [];
    this.#fileOutputs = [];
    for (const key of ['facts', 'nodes', 'scale'] as const) delete this.#cell[key];
  }

  #addTry({ file, name, nth, ...event }: Stored<'control.finished'>): void {
    const { place, on, verdict, reason, durationMs, attempts, facts } = event;
    const key = testKey({ file, name, ...(nth === undefined ? {} : { nth }) });
    const one: ControlTry = {
      ...{ place, on, verdict, durationMs, attempts: attemptsFrom(attempts) },
      ...(reason === undefined ? {} : { reason }),
      ...(facts === undefined ? {} : { facts }),
    };
    this.#tries.set(key, [...(this.#tries.get(key) ?? []), one]);
  }

  #finishStep({ type: _type, cell: _cell, ...event }: Stored<'step.finished'>): void {
    let open = this.#steps.findLast((step) => step.open && step.step === event.step);
    if (!open) {
      // A step that was skipped has no start of its own.
      open = { step: event.step, verdict: event.verdict, startedAt: event.at, durationMs: 0, phases: [], open: true };
      this.#steps.push(open);
    }
    open.open = false;
    open.verdict = event.verdict;
    open.durationMs = event.durationMs;
    open.phases = event.phases ?? [];
    if (event.error) open.error = errorFrom(event.error);
    if (event.note !== undefined) open.note = event.note;
  }

  #plan(step: TestStep, which: TestName): OpenTest {
    const test = plannedTest(step, which);
    this.#tests.push(test);
    this.#openOf(which).push(test);
    return test;
  }

  /** The unfinished tests of a name. */
  #openOf({ file, name }: TestName): OpenTest[] {
    const key = testKey({ file, name });
    const same = this.#open.get(key) ?? [];
    this.#open.set(key, same);
    return same;
  }

  /** The test of an event; if the event does not tell tests of one name apart, the first unfinished one. */
  #openTest(which: TestName, step: TestStep = 'scenarios'): OpenTest {
    const meant = ({ nth }: TestName) => which.nth === undefined || nth === undefined || nth === which.nth;
    return this.#openOf(which).find(meant) ?? this.#plan(step, which);
  }

  #finishTest(event: Stored<'test.finished'>): void {
    const test = this.#openTest(event, event.step);
    const open = this.#openOf(event);
    open.splice(open.indexOf(test), 1);
    test.open = false;
    test.step = event.step;
    test.verdict = event.verdict;
    test.durationMs = event.durationMs;
    test.attempts = attemptsFrom(event.attempts);
    if (event.line !== undefined) test.line = event.line;
    if (event.note !== undefined) test.note = event.note;
    if (event.place !== undefined) test.place = event.place;
    if (event.output !== undefined) test.output = event.output;
  }

  #finishCell(event: Stored<'cell.finished'>): void {
    this.#finished = true;
    this.#cell.verdict = event.verdict;
    this.#cell.durationMs = event.durationMs;
    if (event.reason !== undefined) this.#cell.reason = event.reason;
    if (event.enter !== undefined) this.#cell.enter = event.enter;
    this.#cell.artifacts = event.artifacts ?? [];
  }
}

function plannedTest(step: TestStep, { file, name, nth }: TestName): OpenTest {
  return {
    step: step satisfies StepName,
    file,
    name,
    ...(nth === undefined ? {} : { nth }),
    verdict: 'incomplete',
    durationMs: 0,
    attempts: [],
    open: true,
  };
}

/** Milliseconds between two ISO times; 0 when one is missing or the clock was set back. */
export function between(start: string | undefined, end: string | undefined): number {
  return start && end ? Math.max(0, Date.parse(end) - Date.parse(start)) : 0;
}

/** Only the fields of a result: a stored event also has its number and time. */
function packagesFrom({ release, asked, versions, missing }: PackageVersions): PackageVersions {
  return { release, asked, versions, ...(missing === undefined ? {} : { missing }) };
}
