import type { KindOfTarget } from '../target.ts';

/** QEMU machines, made for a cell. */
export const vm: KindOfTarget = {
  atBest: ['system', 'root', 'power', 'network', 'docker', 'cluster'],
  image: 'disk',
  doctor: () => true,
  provider: async ({ cache, qemu }) => (await import('./provider.ts')).vmProvider(cache, qemu),
};
