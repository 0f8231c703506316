import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cpio } from './cpio.ts';

/** Reads a `newc` archive by the field widths of the kernel's documentation, independently of the writer. */
function read(archive: Buffer): { path: string; mode: number; data: Buffer }[] {
  const entries: { path: string; mode: number; data: Buffer }[] = [];
  for (let at = 0; ; ) {
    expect(archive.toString('latin1', at, at + 6)).toBe('070701');
    const field = (index: number) =>
      Number.parseInt(archive.toString('latin1', at + 6 + index * 8, at + 14 + index * 8), 16);
    const [mode, size, nameSize] = [field(1), field(6), field(11)];
    const path = archive.toString('utf8', at + 110, at + 110 + nameSize - 1);
    const start = Math.ceil((at + 110 + nameSize) / 4) * 4;
    if (path === 'TRAILER!!!') return entries;
    entries.push({ path, mode, data: archive.subarray(start, start + size) });
    at = Math.ceil((start + size) / 4) * 4;
  }
}

test('a kernel finds files, folders and links with their modes', () => {
  const entries = read(
    cpio([
      { path: 'etc', folder: true },
      { path: 'etc/key', mode: 0o600, content: 'secret' },
      { path: 'bin/sh', link: 'busybox' },
    ]),
  );
  expect(entries.map(({ path, mode, data }) => [path, mode.toString(8), data.toString()])).toEqual([
    ['etc', '40755', ''],
    ['etc/key', '100600', 'secret'],
    ['bin/sh', '120777', 'busybox'],
  ]);
});

test('every entry is read back, at any length and with any name', () => {
  const path = fc.string({ unit: 'grapheme', minLength: 1 }).filter((name) => !name.includes('\0'));
  fc.assert(
    fc.property(fc.array(fc.record({ path, content: fc.uint8Array() })), (files) => {
      const found = read(cpio(files));
      expect(found.map(({ path, data }) => [path, [...data]])).toEqual(
        files.map((file) => [file.path, [...file.content]]),
      );
    }),
  );
});

test('two concatenated archives stay aligned, which is how a run adds its keys', () => {
  expect(cpio([{ path: 'odd', content: 'x' }]).length % 4).toBe(0);
});
