import { expect, test } from 'vitest';
import { explained } from './command.ts';

const KEY_ERROR = "ERROR: for app  'ContainerConfig'\nKeyError: 'ContainerConfig'\n";

test('the known failure of Compose 1 with a new engine is explained after its message', () => {
  const said = explained(KEY_ERROR, { version: '1.29.2' });
  expect(said.startsWith(KEY_ERROR)).toBe(true);
  expect(said.trimEnd().split('\n').at(-1)).toContain('`rm --stop --force SERVICE`');
});

test('anything else is passed on as it is', () => {
  expect(explained(KEY_ERROR, { version: '2.26.1' })).toBe(KEY_ERROR);
  expect(explained('ERROR: no such service\n', { version: '1.29.2' })).toBe('ERROR: no such service\n');
});
