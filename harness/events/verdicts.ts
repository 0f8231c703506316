/** The properties of a verdict, for display and decisions. */
interface Meaning {
  /** The exit code of a run with such a voting cell. */
  readonly exit: 0 | 1 | 3 | 4;
  /** It needs attention. */
  readonly bad: boolean;
  /** Something was executed to its end. A bad verdict without that has nothing to report. */
  readonly ran: boolean;
  /** The rest of the cell is skipped: a broken stack is not measured. */
  readonly blocks: boolean;
  /** The element in a JUnit test case; `passed` has none. */
  readonly junit: 'failure' | 'error' | 'skipped' | undefined;
  /** In a terminal: a mark that is distinct even without colour. */
  readonly mark: string;
  readonly colour: 'green' | 'red' | 'yellow';
  /** In tables of text and Markdown, distinct for each. */
  readonly sign: string;
}

type Row = [
  exit: Meaning['exit'],
  bad: boolean,
  ran: boolean,
  blocks: boolean,
  junit: Meaning['junit'],
  mark: string,
  colour: Meaning['colour'],
  sign: string,
];

function meaning([exit, bad, ran, blocks, junit, mark, colour, sign]: Row): Meaning {
  return { exit, bad, ran, blocks, junit, mark, colour, sign };
}

/**
 * Every verdict of a step, test or cell, the most significant first: of several, the first one stands for all. All
 * other facts about verdicts are columns, so that a new verdict is one row.
 */
// biome-ignore format: a table
export const verdicts = {
  //            exit  bad    ran    blocks junit      mark  colour    sign
  failed:      meaning([1, true,  true,  true,  'failure', '✖', 'red',    '✗']),
  emulator:    meaning([3, true,  true,  true,  'error',   '✖', 'red',    '‼']),
  infra:       meaning([3, true,  true,  true,  'error',   '✖', 'red',    '!']),
  incomplete:  meaning([4, true,  false, true,  'error',   '✖', 'red',    '…']),
  flaky:       meaning([0, false, true,  false, undefined, '⚠', 'yellow', '≈']),
  passed:      meaning([0, false, true,  false, undefined, '✔', 'green',  '✓']),
  skipped:     meaning([0, false, false, false, 'skipped', '↓', 'yellow', '–']),
  unsupported: meaning([0, false, false, true,  'skipped', '↓', 'yellow', '∅']),
};

/** How a step, a test or a cell ended. `docs/architecture.md` says who decides which. */
export type Verdict = keyof typeof verdicts;

/** The verdicts in the table's order. */
export const verdictNames = Object.keys(verdicts) as [Verdict, ...Verdict[]];

/** It needs attention. */
export function isBad({ verdict }: { readonly verdict: Verdict }): boolean {
  return verdicts[verdict].bad;
}

/** It went wrong and can report how: every bad verdict except `incomplete`. */
export function wentWrong({ verdict }: { readonly verdict: Verdict }): boolean {
  return verdicts[verdict].bad && verdicts[verdict].ran;
}

/** The verdict that stands for all of these; undefined for none. */
export function mostTelling(given: Iterable<Verdict>): Verdict | undefined {
  const all = new Set(given);
  return verdictNames.find((name) => all.has(name));
}
