/** Identifies a test of a cell. */
export interface TestName {
  /** Relative to the suite's folder, with `/`. */
  readonly file: string;
  /** Full name: `describe > test`. */
  readonly name: string;
  /** Position among the tests of this name in this file, from 0 in the order of the file; absent: the name is unique. */
  readonly nth?: number;
}

/** The name under which errors of a file itself, not of a test in it, are reported. */
export const FILE_ITSELF = '(the file itself)';

/** A key for each test of a cell, used wherever tests are looked up. */
export function testKey({ file, name, nth = 0 }: TestName): string {
  return JSON.stringify([file, name, nth]);
}

/** A test's display name; tests of one name are numbered. */
export function labelOf({ name, nth = 0 }: TestName): string {
  return nth === 0 ? name : `${name} (${nth + 1})`;
}

/** Numbers things that share a name; none for a unique name. */
export function numbered<T>(things: readonly T[], nameOf: (thing: T) => string): Map<T, number> {
  const numbers = new Map<T, number>();
  for (const same of Map.groupBy(things, nameOf).values())
    if (same.length > 1) for (const [index, thing] of same.entries()) numbers.set(thing, index);
  return numbers;
}

/** Identifies the tests of a cell. Earlier versions did not number tests of one name; then their order counts. */
export function testNames(tests: readonly TestName[]): TestName[] {
  const numbers = numbered(tests, ({ file, name }) => testKey({ file, name }));
  return tests.map((test) => {
    const nth = test.nth ?? numbers.get(test);
    return { file: test.file, name: test.name, ...(nth === undefined ? {} : { nth }) };
  });
}

/**
 * A unique name for each thing: the first spelling that no other shares, so that a short name is kept as long as it is
 * unique. If no spelling is unique, things are numbered from 2 on, in order.
 * @param spellings from the shortest to the most exact.
 * @param number appends a number to a name.
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
