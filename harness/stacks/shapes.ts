import { composeShape, composeTimeouts } from './compose/shape.ts';
import { imagesShape } from './images/shape.ts';
import { packagesShape } from './packages/shape.ts';

/**
 * The keys of `stack:` that deployers brought along. A list beside that of the deployers, because the type of a suite is
 * inferred from it and theirs mentions suites.
 */
export const stackShape = { ...packagesShape, ...imagesShape, ...composeShape };

/** The keys of `timeouts:` that they brought along. */
export const stackTimeouts = { ...composeTimeouts };
