import type { KindOfTarget } from '../target.ts';

/** Machines that the user's own commands make and end. */
export const command: KindOfTarget = {
  atBest: ['system', 'root', 'network', 'docker'],
  image: 'none',
  doctor: ({ commands }) => commands.length > 0,
  provider: async ({ commands, inventory }) => (await import('./provider.ts')).commandProvider(commands, inventory),
};
