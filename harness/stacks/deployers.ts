import type { SuiteConfig } from '../config/schema/suite.ts';
import { commands } from './commands.ts';
import { compose } from './compose/deployer.ts';
import type { Deployer } from './deployer.ts';
import { images } from './images/deployer.ts';
import { packages } from './packages/deployer.ts';

/** All deployers, in the order in which they are used. */
export const deployers: readonly Deployer[] = [packages, images, commands, compose];

/** The deployers that a suite uses. */
export function deployersOf(suite: Pick<SuiteConfig, 'stack'>): readonly Deployer[] {
  return deployers.filter((deployer) => deployer.uses(suite));
}
