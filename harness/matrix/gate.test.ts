import { describe, expect, test } from 'vitest';
import { suiteSchema } from '../config/schema/suite.ts';
import type { TargetKind } from '../targets/kinds.ts';
import { lacking, type Offer } from '../targets/lacking.ts';
import type { Availability, TargetProvider } from '../targets/target.ts';
import { preferredKind, unsupportedReason } from './gate.ts';

const suite = (config: object) => ({ ...suiteSchema.parse(config), name: 's', folder: '/suites/s' });

const container: Offer = {
  kind: 'container',
  capabilities: ['root', 'network'],
  installs: [],
  hasModule: (name) => name === 'overlay',
  memoryBytes: 2 ** 30,
};

/** The answers of each kind; kinds that are missing are not asked. */
const providers =
  (answers: Partial<Record<TargetKind, Availability | Offer>>) =>
  async (kind: TargetKind): Promise<TargetProvider> => ({
    kind,
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
  test.each([
    ['s390x', {}, 'there are no blank nodes of s390x: m1 needs one'],
    [
      'ppc64le',
      { firmware: 'uefi' },
      'there are no blank nodes with uefi of ppc64le, only with petitboot: m1 needs one',
    ],
    ['ppc64le', { firmware: 'petitboot' }, undefined],
  ] as const)('a blank node of %s %o', async (arch, blank, why) => {
    const vm: Offer = { ...container, kind: 'vm', capabilities: ['cluster'] };
    const cell = { target: 'vm', arch, suite: suite({ nodes: { ctl: {}, m1: { blank } } }) } as const;
    expect(await unsupportedReason(cell, providers({ vm }))).toBe(why);
  });

  test('an available target suffices', async () => {
    expect(await reason({ needs: ['root', { 'kernel-modules': ['overlay'] }] })).toBeUndefined();
  });

  test.each([
    [
      { needs: ['power', 'system'] },
      'the suite needs power and system, which a container target does not have: a target of kind vm or ssh would do',
    ],
    [
      { needs: [{ 'kernel-modules': ['ip-vs', 'overlay'] }] },
      'the suite needs the kernel module ip_vs, which the machine’s kernel does not have: another machine may',
    ],
    [
      { machine: { memory: 2048 } },
      'the suite needs 2.0 GiB of memory, and the machine has 1.0 GiB: another machine may',
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

test('a stack of containers needs an engine, even if the suite does not say so', async () => {
  const images = [{ tag: 'a:1', command: ['/a'] }];
  expect(await reason({ stack: { images } })).toMatch(
    /^the suite needs docker, which a container target does not have/,
  );
});

test('a Compose service without an image for the architecture is refused before anything starts', async () => {
  const usable: Availability = { state: 'usable', accelerator: 'tcg', detail: '' };
  const stack = {
    compose: 'compose.yaml',
    images: [{ tag: 'a:1', command: ['/a'], arch: ['amd64', 'ppc64el'] }],
  };
  const compose = { file: '/suites/s/compose.yaml', content: '', services: { front: 'a:1' } };
  const cell = { target: 'vm' as const, suite: { ...suite({ stack }), parts: { compose } } };
  expect(await unsupportedReason({ ...cell, arch: 'ppc64le' }, providers({ vm: usable }))).toBeUndefined();
  for (const arch of ['arm64', 'amd64+arm64'] as const)
    expect(
      await unsupportedReason(
        { ...cell, arch, suite: { ...cell.suite, nodes: arch === 'arm64' ? {} : { n1: {}, n2: {} } } },
        providers({ vm: usable }),
      ),
    ).toMatch(/^the service "front" needs the image "a:1", which is built for amd64 and ppc64le and not for arm64: /);
});

describe('preferredKind', () => {
  const cell = { arch: 'amd64' as const, suite: suite({ needs: ['power'] }) };

  test('is the first available kind that meets the needs of the suite, with why not those before it', async () => {
    const there = providers({
      ssh: { state: 'impossible', why: 'no machine is known' },
      container,
      vm: { state: 'usable', accelerator: 'tcg', detail: '' },
    });
    expect(await preferredKind(['ssh', 'container', 'vm'], cell, there)).toEqual({
      target: 'vm',
      passedOver: [
        'ssh: an ssh target of amd64 is not possible here: no machine is known',
        'container: the suite needs power, which a container target does not have: a target of kind vm or ssh would do',
      ],
    });
  });

  test('is the last if none will do; its problem is reported when the cell runs', async () => {
    const none = providers({ ssh: { state: 'impossible', why: 'x' }, container });
    expect((await preferredKind(['ssh', 'container'], cell, none)).target).toBe('container');
  });
});
