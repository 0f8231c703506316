import { expect, test } from 'vitest';
import { downloadProgress, installProgress } from './progress.ts';

const said = (make: (say: (message: string) => void) => (line: string) => void, lines: string) => {
  const messages: string[] = [];
  const hear = make((message) => void messages.push(message));
  for (const line of lines.split('\n')) hear(line);
  return messages;
};

test('an installation reports which package of how many is unpacked and configured', () => {
  const lines = `I: extracting archives...
Selecting previously unselected package redis-tools.
Preparing to unpack .../redis-tools_5%3a7.0.15-1~deb12u5_arm64.deb ...
Unpacking redis-tools (5:7.0.15-1~deb12u5) ...
Preparing to unpack .../04-libjemalloc2_5.3.0-1_arm64.deb ...
Unpacking libjemalloc2:arm64 (5.3.0-1) ...
Setting up redis-tools (5:7.0.15-1~deb12u5) ...
Created symlink /etc/systemd/system/x.service.
Processing triggers for libc-bin (2.36-9+deb12u13) ...`;
  expect(said((say) => installProgress(2, say), lines)).toEqual([
    'extracting archives',
    'unpack 1 of 2: redis-tools',
    'unpack 2 of 2: libjemalloc2',
    'configure 1 of 2: redis-tools',
    'triggers of libc-bin',
  ]);
});

test('a download reports the current package and the total size', () => {
  const lines = `0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.
Need to get 62.1 MB/70 MB of archives.
Get:1 http://deb.debian.org/debian bookworm/main arm64 libperl5.36 arm64 5.36.0-7 [3884 kB]
Get:2 http://deb.debian.org/debian bookworm/main arm64 perl arm64 5.36.0-7 [239 kB]`;
  expect(said(downloadProgress, lines)).toEqual([
    'download 1: libperl5.36, 62.1 MB in all',
    'download 2: perl, 62.1 MB in all',
  ]);
});
