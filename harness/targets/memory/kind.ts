import { CAPABILITIES, type KindOfTarget } from '../target.ts';

/** Machines in the memory of a process, for tests of the harness itself. */
export const memory: KindOfTarget = {
  atBest: CAPABILITIES,
  image: 'none',
  doctor: () => false,
  hidden: true,
  provider: async () => (await import('./provider.ts')).memoryProvider(),
};
