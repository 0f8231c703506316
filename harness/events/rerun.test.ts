import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooser } from './chosen.ts';
import { rerunCommand } from './rerun.ts';

describe('rerunCommand', () => {
  test('of a command line without a matrix', () => {
    const run = { matrix: { name: 'command-line' }, selection: { options: { suite: ['my web'] } } };
    expect(rerunCommand(run, [{ name: 'a/vm/web' }, { name: 'b/vm/web' }])).toBe(
      `npx harness run --suite 'my web' --only '{a/vm/web,b/vm/web}'`,
    );
  });

  test('of a run from before choices were recorded', () => {
    const run = { matrix: { name: 'm', file: 'matrices/m.yaml' } };
    expect(rerunCommand(run, [{ name: 'a/vm/web' }])).toBe("npx harness run matrices/m.yaml --only 'a/vm/web'");
  });

  test('a cell of a merged run is chosen with the options of its own job', () => {
    const run = { matrix: { name: 'm' }, selection: { matrix: 'm', options: {} } };
    const cell = { name: 'a/local/web', selection: { matrix: 'm', options: { target: ['local'] } } };
    expect(rerunCommand(run, [cell])).toBe("npx harness run m --target local --only 'a/local/web'");
  });
});

describe('rerunCommand of tests', () => {
  const run = { matrix: { name: 'm' }, selection: { matrix: 'm', options: { test: ['x'], bail: 1, cold: true } } };
  const step = 'scenarios' as const;
  const file = 'web.scenario.ts';
  const lineOf = (failed: string, ...others: string[]) => {
    const tests = [failed, ...others].map((name) => ({ file, name, step }));
    return rerunCommand(run, [{ name: 'a/vm/web', tests }], [tests[0]!]).replace('npx harness run m --cold ', '');
  };

  test('names the test and leaves benchmarks out', () =>
    expect(lineOf('page > says hello', 'page > ends')).toBe(
      "--file web.scenario.ts --test 'page > says hello' --no-bench --only 'a/vm/web'",
    ));

  test('a name that is part of another, or cannot be printed, becomes a pattern that matches nothing else', () => {
    expect(lineOf('says', 'says hello')).toContain("--test '/^says$/'");
    expect(lineOf('/a/', 'b')).toContain("--test '/^/a/$/'");
    expect(lineOf('a\nb\u001b[31m (1+1)', 'b')).toContain("--test '/^a\\u000ab\\u001b\\[31m \\(1\\+1\\)$/'");
    expect(lineOf('--')).toContain("--test '/^--$/'");
  });

  test('a benchmark is not left out', () => {
    const bench = { file: 'web.bench.ts', name: 'page', step: 'benchmarks' as const };
    expect(rerunCommand(run, [{ name: 'a/vm/web', tests: [bench] }], [bench])).toBe(
      "npx harness run m --cold --file web.bench.ts --test page --only 'a/vm/web'",
    );
  });

  test('a command is chosen by its label, whichever of its tests failed; it has no file', () => {
    const name = (file: string, name: string) => ({ file, name, step: 'tests' as const });
    const tests = [name('make check', 'adds'), name('make check', 'subtracts'), name('command', 'make')];
    const line = (failed: number) => rerunCommand(run, [{ name: 'a/vm/web', tests }], [tests[failed]!]);
    expect(line(0)).toContain("--test 'make check' --no-bench --only");
    expect(line(2)).toContain("--test '/^make$/' --no-bench --only");
    const artifacts = name('command', 'artifacts');
    expect(rerunCommand(run, [{ name: 'a/vm/web', tests }], [artifacts])).toBe(
      "npx harness run m --cold --no-bench --only 'a/vm/web'",
    );
  });

  test('a file that could not be read is chosen without a test', () => {
    const itself = { file, name: '(the file itself)', step };
    expect(rerunCommand(run, [{ name: 'a/vm/web', tests: [itself] }], [itself])).toBe(
      "npx harness run m --cold --file web.scenario.ts --no-bench --only 'a/vm/web'",
    );
  });

  test('for many tests only the cells are named', () => {
    const tests = ['a', 'b', 'c', 'd'].map((name) => ({ file, name, step }));
    expect(rerunCommand(run, [{ name: 'a/vm/web', tests }], tests)).toBe(
      "npx harness run m --cold --no-bench --only 'a/vm/web'",
    );
  });

  /** The words that a shell makes of a line. */
  const wordsOf = (line: string): string[] =>
    execFileSync('sh', ['-c', line.replace('npx harness run', "printf '%s\\0'")], { encoding: 'utf8' })
      .split('\0')
      .slice(0, -1);
  const valuesOf = (words: readonly string[], option: string) =>
    words.flatMap((word, index) => (words[index - 1] === option ? [word] : []));

  test('through a real shell it selects exactly the test that failed, whatever its name', () => {
    const names = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1 }),
      fc.string({ unit: fc.constantFrom(...` '"$\`\\!*?[](){}|&;<>~#/-.^+=\n\t\u001b\u202ea> `), minLength: 1 }),
    );
    const files = fc.string({ unit: fc.constantFrom(...` '"$\`\\!*?[](){}|&;<>~#-.^+=@a`), minLength: 1 });
    const tests = fc.array(fc.record({ name: names, file: files }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(tests, (given) => {
        // NUL cannot be in an argument of a program, in a file's name neither.
        const all = given.map(({ name, file }) => ({ name, file: `${file}.scenario.ts`, step }));
        const [failed] = all;
        const line = rerunCommand(run, [{ name: 'a/vm/web', tests: all }], [failed!]);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
        expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2028\u2029]/);
        const words = wordsOf(line);
        expect(words).toContain('--no-bench');
        const chosen = chooser({ names: valuesOf(words, '--test'), files: valuesOf(words, '--file') }, 'web');
        for (const one of all)
          expect(chosen.test(one.file, one.name), `${JSON.stringify(one)} by ${line}`).toBe(
            one.file === failed!.file && one.name === failed!.name,
          );
      }),
      { numRuns: 100 },
    );
  });
});
