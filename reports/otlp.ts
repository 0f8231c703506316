import { createHash } from 'node:crypto';
import { labelOf } from '../harness/events/identity.ts';
import type { CellResult, RunResult, TestResult } from '../harness/events/result.ts';
import type { ErrorData, Verdict } from '../harness/events/types.ts';
import { oneFile } from './report.ts';
import { firstLine, visible } from './text.ts';
import { errorsOf } from './words.ts';

type Value = { readonly stringValue: string } | { readonly intValue: string } | { readonly boolValue: boolean };
interface Attribute {
  readonly key: string;
  readonly value: Value;
}

/** A span as OTLP has it in JSON: ids in hexadecimal, times in nanoseconds as text. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  /** 1: internal. */
  readonly kind: 1;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly events: readonly {
    readonly timeUnixNano: string;
    readonly name: string;
    readonly attributes: readonly Attribute[];
  }[];
  /** 1: ok, 2: error. Absent if it neither passed nor failed. */
  readonly status?: { readonly code: 1 | 2; readonly message?: string };
}

/** A request of OTLP, and a line of an OTLP file. */
export interface Traces {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string; readonly version: string };
      readonly spans: readonly Span[];
    }[];
  }[];
}

export interface TraceOptions {
  /** Attributes of the service, named by OpenTelemetry's conventions. */
  readonly resource?: Readonly<Record<string, string>>;
  /** A W3C `traceparent`: the run joins that trace. */
  readonly traceparent?: string | undefined;
}

/**
 * A run as spans: run, cell, step, test. Ids are derived from the run, so that sending it twice gives the same spans.
 * Source: https://opentelemetry.io/docs/specs/otlp/ and the conventions for CI/CD and tests.
 */
export function tracesOf(run: RunResult, { resource = {}, traceparent }: TraceOptions = {}): Traces {
  const [, parentTrace, parentSpan] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/.exec(traceparent ?? '') ?? [];
  const traceId = parentTrace ?? hexOf(run.run, 32);
  const spans = spansOf(run, traceId, parentSpan);
  const service = { 'service.name': 'multiarch-harness', 'service.version': run.harness, ...resource };
  return {
    resourceSpans: [
      {
        resource: { attributes: attributesOf({ ...service, 'host.arch': run.host.arch }) },
        scopeSpans: [{ scope: { name: 'multiarch-harness', version: run.harness }, spans }],
      },
    ],
  };
}

function spansOf(run: RunResult, traceId: string, parentSpan: string | undefined): Span[] {
  const span = (
    path: readonly string[],
    parent: string | undefined,
    of: Pick<Span, 'name'> & {
      readonly startedAt: string | undefined;
      readonly durationMs: number;
      readonly verdict: Verdict | RunResult['state'];
      readonly reason?: string | undefined;
      readonly errors?: readonly ErrorData[];
      readonly attributes: Readonly<Record<string, string | number | boolean | undefined>>;
    },
  ): Span => {
    const startMs = Date.parse(of.startedAt ?? run.startedAt);
    const endMs = startMs + Math.max(0, Math.round(of.durationMs));
    return {
      traceId,
      spanId: hexOf(JSON.stringify([run.run, ...path]), 16),
      ...(parent === undefined ? {} : { parentSpanId: parent }),
      name: visible(of.name),
      kind: 1,
      startTimeUnixNano: nanos(startMs),
      endTimeUnixNano: nanos(endMs),
      attributes: attributesOf(of.attributes),
      events: (of.errors ?? []).map((error) => ({
        timeUnixNano: nanos(endMs),
        name: 'exception',
        attributes: attributesOf({
          'exception.type': error.type,
          'exception.message': error.message,
          'exception.stacktrace': error.stack,
        }),
      })),
      ...statusOf(of.verdict, of.reason),
    };
  };
  const top = span(['run'], parentSpan, {
    name: `harness run ${run.matrix.name}`,
    startedAt: run.startedAt,
    durationMs: run.durationMs,
    verdict: run.state,
    attributes: {
      'cicd.pipeline.name': run.matrix.name,
      'cicd.pipeline.run.id': run.run,
      'cicd.pipeline.result': {
        passed: 'success',
        failed: 'failure',
        infra: 'error',
        incomplete: 'error',
        interrupted: 'cancellation',
      }[run.state],
      'vcs.ref.head.revision': run.git?.sha,
      'harness.exit_code': run.exitCode,
    },
  });
  const cellSpans = run.cells.flatMap((cell) => {
    if (cell.startedAt === undefined) return [];
    const of = span([cell.name], top.spanId, {
      ...cell,
      name: cell.name,
      startedAt: cell.startedAt,
      attributes: {
        ...ofCell(cell),
        'test.suite.name': cell.suite,
        'test.suite.run.status': suiteStatus(cell.verdict),
      },
    });
    const steps = cell.steps.map((step) =>
      span([cell.name, step.step], of.spanId, {
        ...step,
        name: step.step,
        reason: step.error?.message ?? step.note,
        errors: step.error ? [step.error] : [],
        attributes: { ...ofCell(cell), 'harness.step': step.step, 'harness.verdict': step.verdict },
      }),
    );
    const tests = cell.tests.flatMap((test, index) =>
      test.startedAt === undefined
        ? []
        : [
            span([cell.name, test.file, test.name, String(index)], steps[stepOf(cell, test)]?.spanId ?? of.spanId, {
              ...test,
              name: labelOf(test),
              startedAt: test.startedAt,
              reason: errorsOf(test)[0]?.message ?? test.note,
              errors: errorsOf(test),
              attributes: {
                ...ofCell(cell),
                'test.suite.name': test.file,
                'test.case.name': labelOf(test),
                'test.case.result.status': { passed: 'pass', flaky: 'pass' }[test.verdict as string] ?? 'fail',
                'harness.verdict': test.verdict,
                'harness.attempts': test.attempts.length,
                'harness.control': test.control,
              },
            }),
          ],
    );
    return [of, ...steps, ...tests];
  });
  return [top, ...cellSpans];
}

function stepOf({ steps }: CellResult, test: TestResult): number {
  return steps.findIndex(({ step }) => step === test.step);
}

function ofCell({ name, arch, target, suite, release, voting, facts }: CellResult) {
  return {
    'harness.cell': name,
    'harness.arch': arch,
    'harness.target': target,
    'harness.suite': suite,
    'harness.release': release,
    'harness.voting': voting,
    'harness.accelerator': facts?.accelerator,
  };
}

const SUITE_STATUS: Readonly<Partial<Record<Verdict, string>>> = {
  passed: 'success',
  flaky: 'success',
  skipped: 'skipped',
  unsupported: 'skipped',
  incomplete: 'aborted',
};

function suiteStatus(verdict: Verdict): string {
  return SUITE_STATUS[verdict] ?? 'failure';
}

function statusOf(verdict: Verdict | RunResult['state'], reason: string | undefined): Pick<Span, 'status'> {
  if (verdict === 'passed' || verdict === 'flaky') return { status: { code: 1 } };
  if (verdict === 'skipped' || verdict === 'unsupported') return {};
  return { status: { code: 2, message: firstLine(reason ?? verdict) } };
}

function attributesOf(record: Readonly<Record<string, string | number | boolean | undefined>>): Attribute[] {
  return Object.entries(record).flatMap(([key, held]) => (held === undefined ? [] : [{ key, value: otlpValue(held) }]));
}

function otlpValue(held: string | number | boolean): Value {
  if (typeof held === 'boolean') return { boolValue: held };
  return typeof held === 'number' ? { intValue: String(held) } : { stringValue: visible(held) };
}

function nanos(ms: number): string {
  return `${BigInt(ms) * 1_000_000n}`;
}

function hexOf(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits);
}

/** A file for the collector's `otlpjsonfile` receiver: one request per line. */
export const otlp = oneFile({
  name: 'otlp',
  path: 'traces.otlp.json',
  about: 'OpenTelemetry: run, cells, steps and tests as spans',
  render: (run) => `${JSON.stringify(tracesOf(run))}\n`,
});
