import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { architectures } from '../arch/index.ts';
import { emulationOf } from './binfmt.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'harness-binfmt-'));
  for (const name of ['misc', 'lines']) await mkdir(join(folder, name));
});
afterEach(() => rm(folder, { recursive: true }));

const { amd64, arm64 } = architectures;

/** The result with these files of the kernel and the packages. */
async function judged(files: Readonly<Record<string, string>>, isRoot = false) {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return emulationOf(
    arm64,
    { misc: join(folder, 'misc'), lines: join(folder, 'lines'), package: 'qemu-user-binfmt', isRoot },
    amd64,
  );
}

const line = { 'lines/qemu-aarch64.conf': ':qemu-aarch64:M::x:y:/usr/libexec/z:OPF' };
const entry = (flags: string, state = 'enabled') => ({
  'misc/qemu-aarch64': `${state}\ninterpreter /usr/libexec/z\nflags: ${flags}\noffset 0\n`,
});

test('the native architecture needs no emulator', async () => {
  expect(await emulationOf(arm64, { misc: '/nowhere', lines: '/nowhere', package: 'x', isRoot: false }, arm64)).toEqual(
    {
      state: 'native',
    },
  );
});

test.each([
  ['registered', { ...line, ...entry('POF') }, false, { state: 'registered' }],
  ['registered by another package, without Debian’s', entry('F'), false, { state: 'registered' }],
  ['installed, for root', line, true, { state: 'registrable' }],
  ['installed, for others', line, false, { state: 'unregistered', why: expect.stringContaining('root has to do it') }],
  [
    'not installed',
    {},
    true,
    {
      state: 'missing',
      what: 'qemu-user for arm64 (package qemu-user-binfmt)',
      install: 'apt-get install -y --no-install-recommends qemu-user-binfmt',
    },
  ],
  [
    'registered so that no other root finds it',
    { ...line, ...entry('OC') },
    true,
    { state: 'unregistered', why: expect.stringContaining('without the flag F') },
  ],
  [
    'disabled',
    { ...line, ...entry('POF', 'disabled') },
    true,
    { state: 'unregistered', why: expect.stringContaining('qemu-aarch64 is disabled') },
  ],
  [
    'disabled altogether',
    { ...entry('POF'), 'misc/status': 'disabled\n' },
    true,
    { state: 'unregistered', why: expect.stringContaining('binfmt_misc is disabled') },
  ],
])('%s', async (_, files, isRoot, expected) => {
  expect(await judged(files as unknown as Record<string, string>, isRoot)).toMatchObject(expected);
});
