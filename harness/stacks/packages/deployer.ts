import { scaledMs } from '../../base/time.ts';
import type { Deployer } from '../deployer.ts';
import { awaitServices } from '../services.ts';
import { configurePackages } from './configure.ts';

/** Debian packages, which are already on the disk, and services, which are started. */
export const packages: Deployer = {
  name: 'packages',
  uses: ({ stack }) => stack.packages.length > 0 || [...stack.services.enabled, ...stack.services.disabled].length > 0,
  async problems({ stack: { services } }) {
    return services.disabled.flatMap((unit, index) =>
      services.enabled.includes(unit)
        ? [
            {
              path: ['stack', 'services', 'disabled', index],
              text: `${unit} is enabled and disabled, expected one of the two`,
            },
          ]
        : [],
    );
  },
  ingredients: ({ stack }) => ({ services: stack.services.enabled }),
  up:
    ({ suite: { stack, timeouts }, options }) =>
    async ({ target, unconfigured }) => {
      await configurePackages(target, unconfigured, options);
      const { enabled } = stack.services;
      if (enabled.length === 0) return;
      options.progress(`waiting for ${enabled.join(', ')}`);
      await awaitServices(target, enabled, scaledMs(timeouts.boot, options.scale), options.signal);
    },
};
