import type { CellArch } from '../../harness/arch/index.ts';
import type { TestResult } from '../../harness/events/result.ts';
import { significant } from '../words.ts';

/** How a test differs between architectures; none if results are the same and times similar. */
export type Difference =
  /** It passes on some and not on others. */
  | { readonly kind: 'verdict'; readonly words: string }
  /** It ran on some and not on others. */
  | { readonly kind: 'presence'; readonly words: string }
  /** `ratio`: the longest time divided by the shortest. */
  | { readonly kind: 'time'; readonly words: string; readonly ratio: number };

/** A test on an architecture. */
export interface Column {
  readonly arch: CellArch;
  readonly result: TestResult | undefined;
  /** Whether its instructions were translated; undefined: unknown. */
  readonly emulated: boolean | undefined;
  /** Whether the cell has any test: those of a lost cell are not listed as missing one by one. */
  readonly tested: boolean;
}

/** Below these, differences of time mean nothing. */
const LEAST_MS = 200;
const LEAST_RATIO = 1.5;

const VERBS: Readonly<Record<TestResult['verdict'], string>> = {
  passed: 'passes',
  flaky: 'passes',
  failed: 'fails',
  infra: 'is lost',
  emulator: 'is lost',
  incomplete: 'does not end',
  skipped: 'is skipped',
};

export function differenceOf(columns: readonly Column[]): Difference | undefined {
  const ran = columns.filter(({ result }) => result && result.verdict !== 'skipped');
  const verbs = Map.groupBy(ran, ({ result }) => VERBS[result!.verdict]);
  if (verbs.size > 1) {
    const others = [...verbs].filter(([verb]) => verb !== VERBS.passed);
    return { kind: 'verdict', words: others.map(([verb, on]) => `${verb} ${where(on, ran)}`).join(', ') };
  }
  const skipped = columns.filter(({ result }) => result?.verdict === 'skipped');
  const absent = columns.filter(({ result, tested }) => !result && tested);
  if (ran.length > 0 && skipped.length + absent.length > 0) {
    const parts = [
      ...(skipped.length > 0 ? [`is skipped ${where(skipped, columns)}`] : []),
      ...(absent.length > 0 ? [`is not there ${where(absent, columns)}`] : []),
    ];
    return { kind: 'presence', words: parts.join(', ') };
  }
  return timeDifference(ran.filter(({ result }) => result!.verdict === 'passed'));
}

/** `on ppc64le`; `only on ppc64le`, where it is one of several. */
function where(these: readonly Column[], all: readonly Column[]): string {
  const only = these.length === 1 && all.length > 2 ? 'only ' : '';
  return `${only}on ${these.map(({ arch }) => arch).join(', ')}`;
}

function timeDifference(columns: readonly Column[]): Difference | undefined {
  const comparable = [...Map.groupBy(columns, ({ emulated }) => emulated)].find(
    ([emulated, same]) => emulated !== undefined && same.length > 1,
  )?.[1];
  if (!comparable) return undefined;
  const sorted = comparable.toSorted((a, b) => a.result!.durationMs - b.result!.durationMs);
  const [fastest, slowest] = [sorted[0]!, sorted.at(-1)!];
  const ratio = slowest.result!.durationMs / fastest.result!.durationMs;
  if (slowest.result!.durationMs < LEAST_MS || !(ratio >= LEAST_RATIO) || !Number.isFinite(ratio)) return undefined;
  return { kind: 'time', ratio, words: `${slowest.arch} ${significant(ratio)}× ${fastest.arch}` };
}
