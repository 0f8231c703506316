import { expect, test } from 'vitest';
import { kinds, kindsWith, type TargetKind, targetKinds } from './kinds.ts';
import { createProviders } from './providers.ts';

const names = Object.keys(kinds) as TargetKind[];

test.each(names)('the provider of %s is of that kind', async (name) => {
  const provider = await createProviders({ cache: '/nowhere' })(name);
  expect(provider.kind).toBe(name);
});

test('kinds are recommended by their best capabilities', () => {
  expect(kindsWith(['power'])).toEqual(expect.arrayContaining(['vm', 'ssh']));
  expect(kindsWith(['power'])).not.toContain('container');
  expect(kindsWith([])).toEqual(targetKinds);
});

test('doctor checks machines and commands only if an inventory names some', () => {
  const asked = (machines: number, commands: number) =>
    targetKinds.filter((kind) =>
      kinds[kind].doctor({ machines: Array(machines).fill({}), commands: Array(commands).fill({}) }),
    );
  expect(asked(0, 0)).toEqual(['vm', 'container', 'local']);
  expect(asked(1, 0)).toEqual(['vm', 'container', 'ssh', 'local']);
  expect(asked(0, 1)).toEqual(['vm', 'container', 'local', 'command']);
});
