import { expect, test } from 'vitest';
import { violationsIn } from './import-rules.ts';

/** `line message` of each violation of one file. */
function check(file: string, source: string): string[] {
  return violationsIn(file, source).map(({ line, message }) => `${line} ${message}`);
}

test('an allowed edge, the folder itself, base, packages and Node', () => {
  const source = `import { a } from '../config/load.ts';
import { b } from './other.ts';
import { c } from '../base/errors.ts';
import { z } from 'zod';
import { join } from 'node:path';
export * from './deep/er.ts';
const late = await import('./late.ts');`;
  expect(check('harness/matrix/expand.ts', source)).toEqual([]);
});

test('a forbidden edge says which, and on which line', () => {
  const source = `import {
  a,
} from '../scenario/runner.ts';
export { x } from '../run/run.ts';
const late = () => import('../cli/main.ts');
type T = import('../../reports/html.ts').T;`;
  expect(check('harness/config/load.ts', source)).toEqual([
    '3 config may not import scenario (../scenario/runner.ts)',
    '4 config may not import run (../run/run.ts)',
    '5 config may not import cli (../cli/main.ts)',
    '6 config may not import reports (../../reports/html.ts)',
  ]);
});

test('types only means types only', () => {
  const file = 'harness/targets/target.ts';
  expect(check(file, `import type { Phase } from '../events/types.ts';`)).toEqual([]);
  expect(check(file, `import { type Phase } from '../events/types.ts';`)).toEqual([]);
  expect(check(file, `export type { Phase } from '../events/types.ts';`)).toEqual([]);
  expect(check(file, `import { type Phase, STEPS } from '../events/types.ts';`)).toEqual([
    '1 targets may not import events (../events/types.ts): types only',
  ]);
});

test('imports in comments and strings are none', () => {
  const source = "// import { a } from '../run/a.ts';\nconst template = `import { b } from '../run/b.ts';`;";
  expect(check('harness/config/load.ts', source)).toEqual([]);
});

test('a suite imports the package by its name', () => {
  const file = 'suites/web/pages.scenario.ts';
  expect(check(file, `import { test } from 'multiarch-harness';\nimport { help } from './help.ts';`)).toEqual([]);
  expect(check(file, `import { test } from '../../harness/scenario/index.ts';`)).toEqual([
    '1 suites may not import scenario (../../harness/scenario/index.ts): a suite imports multiarch-harness by its name',
  ]);
});

test('setup stands alone, the command line imports everything, tests are free', () => {
  const source = `import { a } from '../base/errors.ts';`;
  expect(check('harness/setup/start.mjs', source)).toEqual(['1 setup may not import base (../base/errors.ts)']);
  expect(check('harness/cli/main.ts', `import { run } from '../run/run.ts';`)).toEqual([]);
  expect(check('harness/config/load.test.ts', `import { run } from '../run/run.ts';`)).toEqual([]);
});

test('only cli, reports, setup, e2e and benchmarks print', () => {
  const source = `\nprocess.stdout.write('x');\nconsole.log('y');`;
  expect(check('harness/run/run.ts', source)).toEqual([
    '2 run uses process.stdout: only cli, reports, setup, e2e and benchmarks print',
    '3 run uses console.log: only cli, reports, setup, e2e and benchmarks print',
  ]);
  expect(check('reports/text.ts', source)).toEqual([]);
});

test('a folder that the table does not know, and a path out of the checkout', () => {
  expect(check('harness/magic/a.ts', '')).toEqual(['1 magic has no row in the import table']);
  expect(check('harness/run/a.ts', `import '../../vitest.config.ts';`)).toEqual([
    '1 run imports ../../vitest.config.ts, which lies outside the checked folders',
  ]);
});
