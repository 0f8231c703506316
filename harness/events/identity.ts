/** Which test of a cell is meant. */
export interface TestName {
  /** Relative to the suite's folder, with `/`. */
  readonly file: string;
  /** Full name: `describe > test`. */
  readonly name: string;
  /** Which of those of this name in this file, from 0 in the order of the file; absent: there is one. */
  readonly nth?: number;
}

/** What errors of a file itself, and not of a test of it, are told under. */
export const FILE_ITSELF = '(the file itself)';

/** One text for each test of a cell: its identity wherever tests are looked up. */
export function testKey({ file, name, nth = 0 }: TestName): string {
  return JSON.stringify([file, name, nth]);
}

/** A test's name for people: those of one name are counted. */
export function labelOf({ name, nth = 0 }: TestName): string {
  return nth === 0 ? name : `${name} (${nth + 1})`;
}

/** The numbers of things among those of their name; none for a name that there is once. */
export function numbered<T>(things: readonly T[], nameOf: (thing: T) => string): Map<T, number> {
  const numbers = new Map<T, number>();
  for (const same of Map.groupBy(things, nameOf).values())
    if (same.length > 1) for (const [index, thing] of same.entries()) numbers.set(thing, index);
  return numbers;
}

/** Which tests of a cell are meant. Where harnesses of before did not number those of one name, their order does. */
export function testNames(tests: readonly TestName[]): TestName[] {
  const numbers = numbered(tests, ({ file, name }) => testKey({ file, name }));
  return tests.map((test) => {
    const nth = test.nth ?? numbers.get(test);
    return { file: test.file, name: test.name, ...(nth === undefined ? {} : { nth }) };
  });
}

/**
 * A name for each thing, none twice: the first spelling that it shares with no other, so that what is known under a short
 * name keeps it as long as nothing else has it. What all spellings leave alike is numbered from 2 on, in its order.
 * @param spellings from the shortest to the most exact.
 * @param number writes a number behind a name.
 */
export function distinctNames<T>(
  things: readonly T[],
  spellings: readonly ((thing: T) => string)[],
  number: (name: string, times: number) => string = (name, times) => `${name} (${times})`,
): string[] {
  const [short, ...longer] = spellings;
  const names = things.map(short!);
  for (const spelling of longer) {
    const counts = Map.groupBy(names.keys(), (index) => names[index]!);
    for (const same of counts.values())
      if (same.length > 1) for (const index of same) names[index] = spelling(things[index]!);
  }
  const own = new Set(names);
  const taken = new Set<string>();
  return names.map((name) => {
    let free = name;
    for (let times = 2; taken.has(free) || (times > 2 && own.has(free)); times++) free = number(name, times);
    taken.add(free);
    return free;
  });
}
