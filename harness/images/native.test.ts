import { expect, test } from 'vitest';
import { nativeHelp, parseLdd } from './native.ts';

test('what a program is loaded with is read from ldd, each once', () => {
  const text = `/usr/bin/tar:
	linux-vdso.so.1 (0x00007fc3f7d16000)
	libacl.so.1 => /lib/x86_64-linux-gnu/libacl.so.1 (0x00007fc3f7c76000)
	libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007fc3f7a66000)
	/lib64/ld-linux-x86-64.so.2 (0x00007fc3f7d18000)
/usr/bin/dpkg-deb:
	libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007fc3f7a66000)
	libmissing.so.1 => not found
`;
  expect(parseLdd(text)).toEqual([
    '/lib/x86_64-linux-gnu/libacl.so.1',
    '/lib/x86_64-linux-gnu/libc.so.6',
    '/lib64/ld-linux-x86-64.so.2',
  ]);
  expect(parseLdd('\tnot a dynamic executable\n')).toEqual([]);
});

test('a Python of another version is left to the emulator, and archives are not', async () => {
  const python = (version: string) => [{ name: 'python3.11-minimal', version, arch: 'arm64' }];
  for (const resolved of [[], python('3.11.999-1')]) {
    const { before, after } = await nativeHelp(resolved);
    expect([...before, ...after].join('\n')).not.toContain('py3compile');
    expect(before.join('\n')).toContain('dpkg-deb');
  }
});
