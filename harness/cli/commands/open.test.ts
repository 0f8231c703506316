import { expect, test } from 'vitest';
import { openerOf } from './open.ts';

test.each([
  [{}, 'linux', undefined],
  [{ DISPLAY: ':0' }, 'linux', 'xdg-open'],
  [{ WAYLAND_DISPLAY: 'wayland-0' }, 'linux', 'xdg-open'],
  [{ WSL_DISTRO_NAME: 'Debian', DISPLAY: ':0' }, 'linux', 'wslview'],
  [{}, 'darwin', 'open'],
] as const)('%j on %s: %s', (env, platform, opener) => {
  expect(openerOf(env, platform)).toBe(opener);
});
