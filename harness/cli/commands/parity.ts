import { visible } from '../../../reports/text.ts';
import { acceleratorWords } from '../../../reports/words.ts';
import { ConfigError } from '../../base/errors.ts';
import { splitList } from '../../base/split-list.ts';
import type { Outcome } from '../../compare/outcomes.ts';
import {
  compareParity,
  PARITY_STATES,
  type Parity,
  type ParityFacts,
  type ParitySide,
  type ParityTest,
} from '../../compare/parity.ts';
import type { RunResult } from '../../events/result.ts';
import { runOf } from '../run-of.ts';
import { columns } from '../terminal/columns.ts';

export interface ParityOptions {
  /** As given: `vm,container`. */
  readonly targets?: readonly string[];
  readonly failOnDiffer?: boolean;
  readonly history?: string;
  readonly json?: boolean;
}

/** `harness compare --parity A [B]`: whether two kinds of target agree on each test, and the cause of each difference. */
export async function parity(first: string, second: string | undefined, options: ParityOptions): Promise<number> {
  const a = await runOf(first, options.history);
  const b = second === undefined ? a : await runOf(second, options.history);
  const compared = compareParity(...sidesOf(a, b, splitList(options.targets)));
  if (compared.tests.length === 0)
    throw new ConfigError('there is nothing to compare: neither side has a test that was planned');
  process.stdout.write(options.json ? `${JSON.stringify(compared, null, 2)}\n` : textOf(compared));
  return options.failOnDiffer ? exitCodeOf(compared) : 0;
}

/** If both ran nothing in common, that is not agreement. */
function exitCodeOf({ counts }: Parity): number {
  if (counts.differ > 0) return 1;
  return counts['cannot tell'] > 0 || counts.agree === 0 ? 4 : 0;
}

/** The kinds of target, if only one choice is possible. */
function sidesOf(a: RunResult, b: RunResult, targets: readonly string[]): [ParitySide, ParitySide] {
  const has = (run: RunResult) => [...new Set(run.cells.map(({ target }) => target))];
  const [kindsA, kindsB] = [has(a), has(b)];
  const chosen = targets.length > 0 ? targets : a === b ? kindsA : [...kindsA, ...kindsB];
  const [one, other, ...more] = chosen;
  const inRuns =
    a === b
      ? `the run has ${kindsA.join(', ')}`
      : `${a.run} has ${kindsA.join(', ')}, ${b.run} has ${kindsB.join(', ')}`;
  if (one === undefined || other === undefined || more.length > 0 || (a === b && one === other))
    throw new ConfigError(`--parity compares two kinds of target: ${inRuns}`, {
      hint: 'Say which ones: --targets vm,container. The same kind twice takes two runs.',
    });
  if (!kindsA.includes(one) || !kindsB.includes(other)) {
    const missing = kindsA.includes(one) ? other : one;
    throw new ConfigError(`there is no cell of kind ${JSON.stringify(missing)} to compare: ${inRuns}`);
  }
  return [
    { run: a, target: one },
    { run: b, target: other },
  ];
}

function textOf({ a, b, tests, counts, warnings }: Parity): string {
  const groups = [
    ...Map.groupBy(tests, ({ arch, suite, release }) => [arch, suite, release].filter(Boolean).join(' ')),
  ].map(([title, group]) => {
    const sorted = PARITY_STATES.flatMap((state) => group.filter((test) => test.state === state));
    return [`${title}: ${countsOf(group)}`, ...columns(sorted.map(row)).map((line) => `  ${line}`)].join('\n');
  });
  const total = PARITY_STATES.map((state) => `${counts[state]} ${state}`).join(', ');
  return [
    `a  ${sideLine(a)}`,
    `b  ${sideLine(b)}`,
    ...warnings.map((warning) => `!  ${warning}`),
    '',
    ...groups.flatMap((group) => [group, '']),
    `${tests.length} compared: ${total}`,
    '',
  ].join('\n');
}

function sideLine({ run, target, accelerators }: ParityFacts): string {
  const how = Object.entries(accelerators).map(([arch, accelerator]) => `${arch} ${acceleratorWords[accelerator]}`);
  return `${target} of ${visible(run)}${how.length > 0 ? ` (${how.join('; ')})` : ''}`;
}

function countsOf(tests: readonly ParityTest[]): string {
  return PARITY_STATES.flatMap((state) => {
    const count = tests.filter((test) => test.state === state).length;
    return count > 0 ? [`${count} ${state}`] : [];
  }).join(', ');
}

function row({ state, file, name, a, b, because = '' }: ParityTest): string[] {
  return [state, visible(`${file} › ${name}`), `${wordOf(a)} / ${wordOf(b)}`, visible(because)];
}

function wordOf({ state, flaky }: Outcome): string {
  return flaky ? 'flaky' : state;
}
