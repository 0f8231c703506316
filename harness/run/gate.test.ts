import { describe, expect, test } from 'vitest';
import { suiteSchema } from '../config/suite-schema.ts';
import { lacking, type Offer } from '../targets/lacking.ts';
import type { Availability, TargetKind, TargetProvider } from '../targets/target.ts';
import { preferredKind, unsupportedReason } from './gate.ts';

const suite = (config: object) => ({ ...suiteSchema.parse(config), name: 's', folder: '/suites/s' });

const container: Offer = {
  kind: 'container',
  capabilities: ['root', 'network'],
  installs: [],
  hasModule: (name) => name === 'overlay',
  memoryBytes: 2 ** 30,
};

/** What a kind answers; those that are not given are not asked. */
const providers =
  (answers: Partial<Record<TargetKind, Availability | Offer>>) =>
  (kind: TargetKind): TargetProvider => ({
    kind,
    image: 'none',
    probe: async (_arch, needs) => {
      const answer = answers[kind]!;
      if ('state' in answer) return answer;
      return lacking(needs, answer) ?? { state: 'usable', accelerator: 'native', detail: '' };
    },
    acquire: () => Promise.reject(new Error('nothing is to be started')),
    reconnect: async () => undefined,
  });

const reason = (config: object) =>
  unsupportedReason({ target: 'container', arch: 'amd64', suite: suite(config) }, providers({ container }));

describe('unsupportedReason', () => {
  test('what there is suffices', async () => {
    expect(await reason({ needs: ['root', { 'kernel-modules': ['overlay'] }] })).toBeUndefined();
  });

  test.each([
    [
      { needs: ['power', 'system'] },
      'the suite needs power and system, which a container target does not have: a target of kind vm or ssh would do',
    ],
    [
      { needs: [{ 'kernel-modules': ['ip-vs', 'overlay'] }] },
      'the suite needs the kernel module ip_vs, which its kernel does not have: another machine may',
    ],
    [
      { machine: { memory: 2048 } },
      'the suite needs 2.0 GiB of memory, which its 1.0 GiB are less than: another machine may',
    ],
    [
      { nodes: { a: {}, b: {} } },
      'the suite needs cluster, which a container target does not have: a target of kind vm would do',
    ],
    [
      { needs: ['docker'] },
      'the suite needs docker, which a container target does not have: a target of kind vm or ssh or command would do',
    ],
  ])('%o', async (config, expected) => {
    expect(await reason(config)).toBe(expected);
  });
});

describe('preferredKind', () => {
  const cell = { arch: 'amd64' as const, suite: suite({ needs: ['power'] }) };

  test('is the first that there is and that has what the suite needs, with why not those before it', async () => {
    const there = providers({
      ssh: { state: 'impossible', why: 'no machine is known' },
      container,
      vm: { state: 'usable', accelerator: 'tcg', detail: '' },
    });
    expect(await preferredKind(['ssh', 'container', 'vm'], cell, there)).toEqual({
      target: 'vm',
      passedOver: [
        'ssh: a ssh target of amd64 is not possible here: no machine is known',
        'container: the suite needs power, which a container target does not have: a target of kind vm or ssh would do',
      ],
    });
  });

  test('is the last where none will do: what is wrong with it is said when the cell runs', async () => {
    const none = providers({ ssh: { state: 'impossible', why: 'x' }, container });
    expect((await preferredKind(['ssh', 'container'], cell, none)).target).toBe('container');
  });
});
