/** What a verdict means, wherever one is shown or decides something. */
interface Meaning {
  /** What a voting cell with it makes the run exit with. */
  readonly exit: 0 | 1 | 3 | 4;
  /** Somebody has to look. */
  readonly bad: boolean;
  /** Something was executed to its end. What is bad and did not run has nothing to tell of itself. */
  readonly ran: boolean;
  /** What comes after it in a cell is left out: what does not work is not measured. */
  readonly blocks: boolean;
  /** The element of its test case in JUnit; what passed has none. */
  readonly junit: 'failure' | 'error' | 'skipped' | undefined;
  /** In a terminal: a mark that differs without its colour too. */
  readonly mark: string;
  readonly colour: 'green' | 'red' | 'yellow';
  /** In tables of text and Markdown, where each is told from the others. */
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
 * Every verdict that a step, a test or a cell can have, the most telling first: where several meet, the first stands for
 * all. What else has to be known of verdicts is a column, so that a new verdict is one row.
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

/** Somebody has to look at it. */
export function isBad({ verdict }: { readonly verdict: Verdict }): boolean {
  return verdicts[verdict].bad;
}

/** It went wrong and can say how: what is bad, but for what never came to its end. */
export function wentWrong({ verdict }: { readonly verdict: Verdict }): boolean {
  return verdicts[verdict].bad && verdicts[verdict].ran;
}

/** The verdict that stands for all of these; undefined of none. */
export function mostTelling(given: Iterable<Verdict>): Verdict | undefined {
  const all = new Set(given);
  return verdictNames.find((name) => all.has(name));
}
