import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempFiles } from '../testing/temp-files.ts';
import { type CellOptions, planCells } from './plan.ts';

const BAD_SUITE = 'suites/bad/suite.yaml:1:1: unknown key "nedds"';
const BAD_MACHINE = 'machines.yaml:2:17: machines.a.address is "x:22", expected a host';
const files = {
  'matrices/m.yaml': 'arch: [amd64]\nsuite: [good]\n',
  'matrices/both.yaml': 'arch: [amd64, arm64]\nsuite: [good, bad]\nexclude: [{ suite: bad, arch: arm64 }]\n',
  'matrices/broken.yaml': 'arch: [amd64\n',
  'suites/good/suite.yaml': '{}',
  'suites/bad/suite.yaml': 'nedds: [root]\n',
  'machines.yaml': 'machines:\n  a: { address: "x:22" }\n  b: { address: y }\n',
};

/** The names of the chosen cells, or the error; and the warnings. */
async function choose(named: string | undefined, options: CellOptions = {}, more: Record<string, string> = {}) {
  await using project = await tempFiles({ ...files, ...more });
  let said = '';
  const chosen = await planCells(named, options, project.folder).then(
    ({ cells, warnings }) => {
      said = warnings.join('\n');
      return cells.map(({ name }) => name);
    },
    (error: Error) => error.message,
  );
  return { chosen, said };
}

test('a mistake in a suite stops only runs of that suite, and is a warning for others', async () => {
  const other = await choose('m');
  expect(other.chosen).toEqual(['amd64/vm/good']);
  expect(other.said).toContain(BAD_SUITE);
  for (const options of [{ suite: ['good'] }, { only: ['*/vm/good'] }, { arch: ['arm64'] }]) {
    const { chosen, said } = await choose('both', options);
    expect(chosen).toContain('arm64/vm/good');
    expect(said).toContain(BAD_SUITE);
  }
  expect((await choose('both')).chosen).toContain(BAD_SUITE);
  expect((await choose('both', { suite: ['bad'] })).chosen).toContain(BAD_SUITE);
  // Without options everything is chosen.
  expect((await choose(undefined)).chosen).toContain(BAD_SUITE);
});

test('a mistake in the inventory stops only runs that use its list', async () => {
  const vm = await choose('m');
  expect(vm.chosen).toEqual(['amd64/vm/good']);
  expect(vm.said).toContain(BAD_MACHINE);
  expect((await choose('m', { target: ['command'] })).chosen).toEqual(['amd64/command/good']);
  expect((await choose('m', { target: ['ssh'] })).chosen).toContain(BAD_MACHINE);
  const preferred = { 'matrices/m.yaml': 'arch: [amd64]\nsuite: [good]\ntarget: [ssh, vm]\n' };
  expect((await choose('m', {}, preferred)).chosen).toContain(BAD_MACHINE);

  const torn = { 'machines.yaml': 'machines: {\n' };
  const unread = await choose('m', {}, torn);
  expect(unread.chosen).toEqual(['amd64/vm/good']);
  expect(unread.said).toContain('machines.yaml:2:1: not valid YAML');
  expect((await choose('m', { target: ['ssh'] }, torn)).chosen).toContain('not valid YAML');
});

test('files may end in .yml; two that differ only in that are an error', async () => {
  const short = {
    'matrices/s.yml': 'arch: [amd64]\nsuite: [short]\n',
    'suites/short/suite.yml': 'description: short\n',
  };
  expect((await choose('s', {}, short)).chosen).toEqual(['amd64/vm/short']);
  expect((await choose(join('matrices', 's.yml'), {}, short)).chosen).toEqual(['amd64/vm/short']);
  expect((await choose('s', {}, { ...short, 'matrices/s.yaml': short['matrices/s.yml'] })).chosen).toBe(
    'cannot choose between matrices/s.yaml and matrices/s.yml',
  );
  expect((await choose('s', {}, { ...short, 'suites/short/suite.yaml': '{}' })).chosen).toBe(
    'cannot choose between suites/short/suite.yaml and suites/short/suite.yml',
  );
  const quick = { 'matrices/quickstart.yml': 'arch: [arm64]\nsuite: [good]\n' };
  expect((await choose(undefined, {}, quick)).chosen).toEqual(['arm64/vm/good']);
  const two = await choose('m', { target: ['ssh'] }, { 'machines.yml': 'machines: { a: { address: x } }\n' });
  expect(two.chosen).toBe('cannot choose between machines.yaml and machines.yml');
});

test('files that look like configuration but are not read are named', async () => {
  const { said } = await choose(
    'm',
    {},
    {
      'machine.yaml': '',
      'matrices/x.json': '{}',
      'matrices/m.YAML': '',
      'matrices/m.yaml.bak': '',
      'matrices/README.md': '',
      'suites/flat.yaml': '',
      'suites/loud/Suite.yaml': '',
      'suites/none/a.scenario.ts': '',
      'suites/lib/helper.ts': '',
      'package.json': '{}',
      'compose.yaml': '',
    },
  );
  const unread = said.split('\n').filter((line) => line.includes('is not read'));
  expect(unread).toEqual([
    'machine.yaml is not read: the inventory of machines is machines.yaml',
    'matrices/m.YAML is not read: a matrix is a file NAME.yaml',
    'matrices/m.yaml.bak is not read: a matrix is a file NAME.yaml',
    'matrices/x.json is not read: a matrix is a file NAME.yaml',
    'suites/flat.yaml is not read: a suite is a folder with suite.yaml in it',
    'suites/loud is not read: it has Suite.yaml, and no suite.yaml',
    'suites/none is not read: it has a.scenario.ts, and no suite.yaml',
  ]);
});
