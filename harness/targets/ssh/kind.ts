import type { KindOfTarget } from '../target.ts';

/** Existing machines, from an inventory. */
export const ssh: KindOfTarget = {
  atBest: ['system', 'root', 'power', 'network', 'docker'],
  image: 'none',
  doctor: ({ machines }) => machines.length > 0,
  provider: async ({ machines, inventory }) => (await import('./provider.ts')).sshProvider(machines, inventory),
};
