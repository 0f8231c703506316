import { scaledMs } from '../../base/time.ts';
import type { Deployer } from '../deployer.ts';
import { awaitServices } from '../services.ts';
import { configurePackages } from './configure.ts';

/** Debian packages, which are already on the disk, and services, which are started. */
export const packages: Deployer = {
  name: 'packages',
  uses: ({ stack }) => stack.packages.length > 0 || stack.services.length > 0,
  ingredients: ({ stack }) => ({ services: stack.services }),
  up:
    ({ suite: { stack, timeouts }, options }) =>
    async ({ target, unconfigured }) => {
      await configurePackages(target, unconfigured, options);
      if (stack.services.length === 0) return;
      options.progress(`waiting for ${stack.services.join(', ')}`);
      await awaitServices(target, stack.services, scaledMs(timeouts.boot, options.scale), options.signal);
    },
};
