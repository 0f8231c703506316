import type { KindOfTarget } from '../target.ts';

/** This host. */
export const local: KindOfTarget = {
  atBest: ['root', 'network'],
  doctor: () => true,
  provider: async () => (await import('./provider.ts')).localProvider(),
};
