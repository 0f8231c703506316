import { expect, test } from 'vitest';
import type { CellArch } from '../arch/index.ts';
import { matrixSchema } from '../config/schema/matrix.ts';
import { suiteSchema } from '../config/schema/suite.ts';
import type { Suite } from '../config/suite.ts';
import { expandCells } from './expand.ts';
import { filterCells } from './filter.ts';
import { blanksOf, firmwareOf, isCluster, memoriesOf, nodesOf } from './nodes.ts';

const suite = (nodes?: object, more: object = {}): Suite => ({
  ...suiteSchema.parse(nodes ? { nodes, ...more } : more),
  name: 'swarm',
  folder: '/suites/swarm',
});
const machines = (arch: CellArch, nodes?: object) =>
  nodesOf({ arch, suite: suite(nodes) }).map((node) => `${node.name}=${node.arch}`);

test('a cell has one machine, or those of a cluster, each with an architecture', () => {
  expect(machines('arm64')).toEqual(['swarm=arm64']);
  const three = { n1: {}, n2: {}, n3: {} };
  expect(machines('arm64', three)).toEqual(['n1=arm64', 'n2=arm64', 'n3=arm64']);
  expect(machines('amd64+arm64+ppc64le', three)).toEqual(['n1=amd64', 'n2=arm64', 'n3=ppc64le']);
  expect(machines('amd64+arm64', three)).toEqual(['n1=amd64', 'n2=arm64', 'n3=amd64']);
  expect(machines('arm64', { n1: {}, old: { arch: 'x86_64' } })).toEqual(['n1=arm64', 'old=amd64']);
  expect([isCluster({ suite: suite() }), isCluster({ suite: suite(three) })]).toEqual([false, true]);
});

test('blank nodes are machines of a cell without a system', () => {
  const nodes = { ctl: {}, m1: { blank: {} }, m2: { arch: 'ppc64le', blank: { memory: 512 } } };
  const cell = { arch: 'amd64+arm64', target: 'vm', suite: suite(nodes, { machine: { memory: 384 } }) } as const;
  expect(nodesOf(cell)).toEqual([{ name: 'ctl', arch: 'amd64' }]);
  const blanks = blanksOf(cell);
  expect(blanks.map(({ name, arch }) => `${name}=${arch}`)).toEqual(['m1=arm64', 'm2=ppc64le']);
  expect(blanks.map((node) => firmwareOf(node)?.name)).toEqual(['uefi', 'petitboot']);
  expect(memoriesOf(cell)).toEqual([384, 1024, 512]);
  expect(blanksOf({ arch: 'amd64', suite: suite() })).toEqual([]);
});

test('an emulated machine has the next memory that its architecture allows', () => {
  const cell = (target: 'vm' | 'container', memory: number, nodes = {}) =>
    ({ arch: 'amd64+ppc64le', target, suite: suite(nodes, { machine: { memory } }) }) as const;
  const two = { n1: {}, n2: {} };
  expect(memoriesOf(cell('vm', 256, two))).toEqual([256, 512]);
  expect(memoriesOf(cell('vm', 600, two))).toEqual([600, 768]);
  expect(memoriesOf(cell('vm', 1024, two))).toEqual([1024, 1024]);
  expect(memoriesOf(cell('container', 256, two))).toEqual([256, 256]);
  expect(memoriesOf(cell('vm', 256, { n1: {}, m1: { arch: 'ppc64le', blank: { memory: 300 } } }))).toEqual([256, 512]);
});

const matrix = (config: object) => ({ ...matrixSchema.parse({ suite: ['swarm'], ...config }), name: 'm' });

test('a mixed cell is chosen by its architectures, in any spelling, and is for clusters only', () => {
  const arch = ['amd64', 'x86_64+AArch64'];
  const cluster = new Map([['swarm', suite({ n1: {}, n2: {} })]]);
  const cells = expandCells(matrix({ arch }), cluster);
  expect(cells.map(({ name }) => name)).toEqual(['amd64/vm/swarm', 'amd64+arm64/vm/swarm']);
  expect(filterCells(cells, { arch: ['amd64+aarch64'] }).map(({ name }) => name)).toEqual(['amd64+arm64/vm/swarm']);
  expect(filterCells(cells, { arch: ['amd64'] }).map(({ name }) => name)).toEqual(['amd64/vm/swarm']);

  for (const only of ['amd64+arm64/vm/swarm', 'amd64+*/**', '*+*/vm/*', '@(amd64+arm64|x)/**'])
    expect(
      filterCells(cells, { only: [only] }).map(({ name }) => name),
      only,
    ).toEqual(['amd64+arm64/vm/swarm']);

  expect(expandCells(matrix({ arch }), new Map([['swarm', suite()]])).map(({ name }) => name)).toEqual([
    'amd64/vm/swarm',
  ]);
  const include = [{ arch: 'amd64+arm64', target: 'vm', suite: 'swarm' }];
  expect(() => expandCells(matrix({ arch: ['amd64'], include }), new Map([['swarm', suite()]]))).toThrow(
    'cannot expand matrix "m": include amd64+arm64/vm/swarm cannot run: the suite has 1 machine, for 2 architectures',
  );
  expect(matrixSchema.safeParse({ suite: ['a'], arch: ['amd64+armm64'] }).error?.issues[0]?.message).toBe(
    'unknown architecture "armm64"',
  );
});
