import { execa } from 'execa';
import { expect, test } from 'vitest';
import { INIT_SCRIPT } from './init.ts';

test('the first process of a guest is a valid shell script', async () => {
  const { exitCode, stderr } = await execa('sh', ['-n'], { input: INIT_SCRIPT, reject: false });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
});

test('it runs only busybox and systemd', () => {
  const called = [...INIT_SCRIPT.matchAll(/^\s*(?:exec )?(\S*busybox) (\w+)/gm)].map(([, , applet]) => applet);
  expect(new Set(called)).toEqual(
    new Set(['sleep', 'poweroff', 'mount', 'umount', 'ip', 'usleep', 'cp', 'mkdir', 'switch_root']),
  );
});
