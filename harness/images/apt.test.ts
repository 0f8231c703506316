import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { architectures } from '../arch/index.ts';
import { lock } from '../base/lock.ts';
import { aptFolder, missingNames, openApt, parseSimulation } from './apt.ts';
import { aptSources } from './settings.ts';

test('packages are read from a simulation of apt', () => {
  const text = `NOTE: This is only a simulation!
Inst libc6 (2.36-9+deb12u13 Debian:12.12/oldstable, Debian-Security:12/oldstable-security [arm64])
Inst gcc-12-base (12.2.0-14+deb12u1 Debian:12.12/oldstable [arm64]) []
Inst netbase:all (6.4 Debian:12.12/oldstable [all])
Conf libc6 (2.36-9+deb12u13 Debian:12.12/oldstable [arm64])
`;
  expect(parseSimulation(text)).toEqual([
    { name: 'gcc-12-base', version: '12.2.0-14+deb12u1', arch: 'arm64' },
    { name: 'libc6', version: '2.36-9+deb12u13', arch: 'arm64' },
    { name: 'netbase', version: '6.4', arch: 'all' },
  ]);
});

test('the security archive is a sibling of the mirror, and every source is verified with a keyring', () => {
  const sources = aptSources({ mirror: 'http://mirror.example/debian/', release: 'bookworm' });
  expect(sources.map((line) => line.replace(/^deb \[signed-by=\S+\] /, ''))).toEqual([
    'http://mirror.example/debian bookworm main',
    'http://mirror.example/debian bookworm-updates main',
    'http://mirror.example/debian-security bookworm-security main',
  ]);
  expect(sources.every((line) => line.includes('signed-by='))).toBe(true);
  expect(aptSources({ mirror: 'http://mirror.example/debian', release: 'trixie' }).at(-1)).toMatch(
    / http:\/\/mirror\.example\/debian-security trixie-security main$/,
  );
});

test.each([
  ['E: Unable to locate package ngnix', ['ngnix'], ['ngnix']],
  ["E: Package 'python' has no installation candidate", ['python'], ['python']],
  ['E: Unable to locate package ga\nE: Unable to locate package ab', ['ga+', 'ab'], ['ga+', 'ab']],
  ['E: Could not get lock', ['nginx'], []],
])('what apt does not know: %s', (said, wanted, expected) => {
  expect(missingNames(said, wanted)).toEqual(expected);
});

test('with fresh lists a run does not wait for the downloads of another', async () => {
  const cache = await mkdtemp(join(tmpdir(), 'harness-apt-'));
  const where = { mirror: 'http://mirror.example/debian', release: 'bookworm', cache } as const;
  const settings = { ...where, refreshHours: 24, buildMemoryBytes: 2 ** 30, buildMs: 60_000 };
  const folder = aptFolder(settings, architectures.arm64);
  await mkdir(folder, { recursive: true });
  const fresh = { at: new Date().toISOString(), by: 'another', sources: ['deb http://mirror.example/debian x main'] };
  await writeFile(join(folder, 'refreshed.json'), JSON.stringify(fresh));
  await using _download = await lock(join(folder, 'archives.lock'));
  await using _fetch = await lock(join(folder, 'lists.lock'));
  const waits: string[] = [];
  const apt = await openApt(settings, architectures.arm64, { progress: (message) => void waits.push(message) });
  expect(apt.sources).toEqual(fresh.sources);
  expect(waits).toEqual([]);
  await rm(cache, { recursive: true });
});
