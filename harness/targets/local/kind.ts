import type { KindOfTarget } from '../target.ts';

/** This host. */
export const local: KindOfTarget = {
  atBest: ['root', 'network'],
  image: 'none',
  doctor: () => true,
  provider: async () => (await import('./provider.ts')).localProvider(),
};
