import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { architectures, archNames } from '../arch/index.ts';
import { elfMachineOf } from './elf.ts';
import { packagesFor, softwareEnvironment } from './software.ts';

const { amd64, ppc64le } = architectures;
const cross = ['gcc-$DEB_HOST_GNU_TYPE', 'libc6-dev-$DEB_HOST_ARCH-cross'];

describe('the packages of a system in which software is built', () => {
  test('are those of the compilers that cross, only where it is for another architecture', () => {
    const what = { needs: ['make'], cross, source: { folder: '/', entries: [] } };
    expect(packagesFor({ ...what, arch: amd64 }, amd64)).toEqual(['make']);
    expect(packagesFor({ ...what, arch: ppc64le }, amd64)).toEqual([
      'make',
      'gcc-powerpc64le-linux-gnu',
      'libc6-dev-ppc64el-cross',
    ]);
  });

  test('names of x86 have no underscore, as Debian’s have none', () => {
    const what = { needs: [], cross, source: { folder: '/', entries: [] } };
    expect(packagesFor({ ...what, arch: amd64 }, ppc64le)).toEqual(['gcc-x86-64-linux-gnu', 'libc6-dev-amd64-cross']);
  });

  test('have what unpacks a source package, once', () => {
    const source = { debian: 'hello' };
    expect(packagesFor({ needs: [], cross, source, arch: amd64 }, amd64)).toEqual(['dpkg-dev']);
    expect(packagesFor({ needs: ['dpkg-dev'], cross, source, arch: amd64 }, amd64)).toEqual(['dpkg-dev']);
  });
});

test('commands are told the architecture in the words of the harness, Go, Debian and GNU', () => {
  expect(softwareEnvironment(ppc64le)).toEqual([
    'HARNESS_ARCH=ppc64le',
    'GOARCH=ppc64le',
    'DEB_HOST_ARCH=ppc64el',
    'DEB_HOST_GNU_TYPE=powerpc64le-linux-gnu',
  ]);
});

describe('the machine of an ELF file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'elf-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const machineOf = async (bytes: Uint8Array) => {
    const file = join(folder, 'file');
    await writeFile(file, bytes);
    return elfMachineOf(file);
  };

  test('is that of the architecture whose Node this is', async () => {
    const own = archNames.find((name) => architectures[name].node === process.arch)!;
    expect(await elfMachineOf(process.execPath)).toBe(architectures[own].elf);
  });

  test('is read in the byte order that the file says', async () => {
    const header = (order: number, machine: readonly [number, number]) =>
      Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 2, order, ...Array(10).fill(0), 0, 2, ...machine]);
    expect(await machineOf(header(1, [21, 0]))).toBe(ppc64le.elf);
    expect(await machineOf(header(2, [0, 22]))).toBe(architectures.s390x.elf);
  });

  test('there is none in a script, an empty file, or the beginning of a file', async () => {
    expect(await machineOf(Buffer.from('#!/bin/sh\necho I am no program\n'))).toBeUndefined();
    expect(await machineOf(Buffer.alloc(0))).toBeUndefined();
    expect(await machineOf(Buffer.from('\x7fELF\x02\x01'))).toBeUndefined();
  });

  test('no two architectures have the same', () => {
    expect(new Set(archNames.map((name) => architectures[name].elf)).size).toBe(archNames.length);
  });
});
