import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { installedMatchesLock, installNpm, npmIsCurrent, refusesOptional, withoutModules } from './npm-packages.mjs';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'npm-packages-'));
  write('package.json', { name: 'x' });
  write('package-lock.json', {
    packages: {
      '': { name: 'x' },
      'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
      'node_modules/for-windows': { version: '1.0.0', integrity: 'sha512-w', optional: true },
    },
  });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(file: string, value: unknown): void {
  writeFileSync(join(root, file), JSON.stringify(value));
}

/** What npm leaves behind after it installed version `version` of package a. */
function installed(version: string): void {
  mkdirSync(join(root, 'node_modules/a'), { recursive: true });
  mkdirSync(join(root, 'node_modules/node/bin'), { recursive: true });
  write('node_modules/node/package.json', { version: '24.21.0' });
  write('node_modules/node/bin/node', '');
  write('node_modules/.package-lock.json', { packages: { 'node_modules/a': { version, integrity: 'sha512-a' } } });
}

test('a fresh clone is not current', () => {
  expect(npmIsCurrent(root)).toBe(false);
  expect(installedMatchesLock(root)).toBe(false);
});

test('what npm has installed already is only stamped', () => {
  installed('1.0.0');
  expect(npmIsCurrent(root)).toBe(false);
  installNpm(root);
  expect(npmIsCurrent(root)).toBe(true);
});

test('a changed lock file or package.json ends the stamp', () => {
  installed('1.0.0');
  installNpm(root);
  write('package.json', { name: 'x', scripts: {} });
  expect(npmIsCurrent(root)).toBe(false);
  expect(installedMatchesLock(root)).toBe(true);
});

test('another version, or a folder that is gone, is not a match', () => {
  installed('0.9.0');
  expect(installedMatchesLock(root)).toBe(false);
  installed('1.0.0');
  expect(installedMatchesLock(root)).toBe(true);
  rmSync(join(root, 'node_modules/a'), { recursive: true });
  expect(installedMatchesLock(root)).toBe(false);
});

test('the PATH for npm has no node_modules', () => {
  expect(withoutModules('/x/node_modules/.bin:/usr/bin:/y/node_modules/node/bin:/bin')).toBe('/usr/bin:/bin');
});

test('a lock file that only lacks what has no version is worth a second try', () => {
  const absent = 'npm error Missing: @biomejs/cli-win32-x64@ from lock file';
  expect(refusesOptional(`npm error code EUSAGE\n${absent}\n${absent}`)).toBe(true);
  expect(refusesOptional(`${absent}\nnpm error Missing: zod@4.6.7 from lock file`)).toBe(false);
  expect(refusesOptional('npm error network timeout')).toBe(false);
});
