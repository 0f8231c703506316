import type { KindOfTarget } from '../target.ts';

/** Machines managed by the user's own commands. */
export const command: KindOfTarget = {
  atBest: ['system', 'root', 'network', 'docker'],
  image: 'none',
  doctor: ({ commands }) => commands.length > 0,
  provider: async ({ commands, inventory }) => (await import('./provider.ts')).commandProvider(commands, inventory),
};
