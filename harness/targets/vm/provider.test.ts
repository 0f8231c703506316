import { expect, test } from 'vitest';
import { architectures } from '../../arch/index.ts';
import { whyNotResumed } from './provider.ts';

const { amd64, ppc64le } = architectures;

test('a machine whose timers are lost is resumed with one vCPU only, and under KVM with any', () => {
  expect(whyNotResumed({ arch: ppc64le, vcpus: 1 }, 'tcg')).toBeUndefined();
  expect(whyNotResumed({ arch: ppc64le, vcpus: 2 }, 'tcg')).toBe(
    'a ppc64le machine with more than one vCPU does not come back from a snapshot',
  );
  expect(whyNotResumed({ arch: ppc64le, vcpus: 2 }, 'kvm')).toBeUndefined();
  expect(whyNotResumed({ arch: amd64, vcpus: 2 }, 'tcg')).toBeUndefined();
});

test('an architecture without snapshots in its data has none', () => {
  const arch = { ...amd64, qemu: { ...amd64.qemu, noSnapshots: 'its clock stands still' } };
  for (const accelerator of ['tcg', 'kvm'] as const)
    expect(whyNotResumed({ arch, vcpus: 1 }, accelerator)).toBe('no snapshots: its clock stands still');
});
