import type { KindOfTarget } from '../target.ts';

/** Containers of a Docker engine, with the whole stack in one. */
export const container: KindOfTarget = {
  atBest: ['root', 'network'],
  image: 'system',
  doctor: () => true,
  provider: async () => (await import('./provider.ts')).containerProvider(),
};
