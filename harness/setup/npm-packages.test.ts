import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { installedMatchesLock, installNpm, npmIsCurrent, refusesLock, withoutModules } from './npm-packages.mjs';

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

const NOT_IN_SYNC =
  'npm error code EUSAGE\nnpm error\n' +
  'npm error `npm ci` can only install packages when your package.json and package-lock.json or npm-shrinkwrap.json are in ' +
  'sync. Please update your lock file with `npm install` before continuing.\nnpm error\n';

test.each([
  ['a package with its version', `${NOT_IN_SYNC}npm error Missing: @biomejs/cli-darwin-arm64@2.6.8 from lock file`],
  ['a package that no registry had', `${NOT_IN_SYNC}npm error Missing: @biomejs/cli-win32-x64@ from lock file`],
  ['another version', `${NOT_IN_SYNC}npm error Invalid: lock file's zod@4.0.0 does not satisfy zod@4.6.7`],
  [
    'a lock file without versions, or none',
    'npm error code EUSAGE\nnpm error\nnpm error The `npm ci` command can only install with an existing package-lock.json or\n' +
      'npm error npm-shrinkwrap.json with lockfileVersion >= 1. Run an install with npm@5 or later to generate one.',
  ],
  [
    'one that is not JSON',
    'npm error code EJSONPARSE\nnpm error path /x/package-lock.json\nnpm error JSON.parse Unexpected token "<"',
  ],
])('what npm ci says about a lock file is worth a second try: %s', (_name, output) => {
  expect(refusesLock(output)).toBe(true);
});

test.each([
  'npm error code ETIMEDOUT\nnpm error network request to https://registry.npmjs.org/zod failed',
  'npm error code ENOSPC\nnpm error syscall write\nnpm error ENOSPC: no space left on device, write',
  'npm error code E403\nnpm error 403 403 Forbidden - GET https://registry.npmjs.org/zod',
])('what is not about the lock file is not tried twice: %s', (output) => {
  expect(refusesLock(output)).toBe(false);
});

/** A project with one package of its own folder, whose lock file does not know it: npm needs no registry for it. */
function unlocked(lock: unknown): void {
  write('package.json', { name: 'x', version: '1.0.0', dependencies: { beside: 'file:beside' } });
  mkdirSync(join(root, 'beside'));
  write('beside/package.json', { name: 'beside', version: '1.0.0' });
  write('package-lock.json', lock);
}

test.each([
  ['without the package', { lockfileVersion: 3, packages: { '': { name: 'x', version: '1.0.0' } } }],
  ['without a version', { packages: {} }],
])('a lock file %s: the packages are installed, with the reason, and the file is as it was', (_name, lock) => {
  unlocked(lock);
  const before = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  installNpm(root);
  const lines = said.mock.calls.join('');
  said.mockRestore();
  expect(lines).toMatch(
    /npm ci does not take package-lock\.json:\n[\s\S]*npm (?:error|ERR!)[\s\S]*npm install --no-save …/,
  );
  expect(readFileSync(join(root, 'node_modules/beside/package.json'), 'utf8')).toContain('beside');
  expect(readFileSync(join(root, 'package-lock.json'), 'utf8')).toBe(before);
});

test('what people have set for their own projects leaves no package out', () => {
  unlocked({ lockfileVersion: 3, packages: {} });
  for (const kind of ['dev', 'optional', 'peer']) {
    mkdirSync(join(root, kind));
    // An optional package that is for another Node is left out, rightly.
    const engines = kind === 'optional' ? {} : { engines: { node: '>=99' } };
    write(`${kind}/package.json`, { name: kind, version: '1.0.0', ...engines });
  }
  write('package.json', {
    name: 'x',
    version: '1.0.0',
    devDependencies: { dev: 'file:dev' },
    optionalDependencies: { optional: 'file:optional' },
    peerDependencies: { peer: 'file:peer' },
  });
  const settings = { NODE_ENV: 'production', npm_config_omit: 'dev optional peer', npm_config_engine_strict: 'true' };
  for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value);
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  installNpm(root);
  said.mockRestore();
  vi.unstubAllEnvs();
  for (const kind of ['dev', 'optional', 'peer'])
    expect(readFileSync(join(root, 'node_modules', kind, 'package.json'), 'utf8')).toContain(kind);
});

test('a package that cannot be had by any means: exit code 3 and what npm said last', () => {
  unlocked({ lockfileVersion: 3, packages: { '': { name: 'x', version: '1.0.0' } } });
  write('package.json', { name: 'x', version: '1.0.0', dependencies: { gone: 'file:gone.tgz' } });
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  expect(() => installNpm(root)).toThrow(
    expect.objectContaining({
      code: 3,
      message: expect.stringMatching(/^cannot install the npm packages: .*\n[\s\S]*gone/),
    }),
  );
  said.mockRestore();
});
