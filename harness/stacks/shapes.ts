import { composeShape, composeTimeouts } from './compose/shape.ts';
import { imagesShape } from './images/shape.ts';
import { packagesShape } from './packages/shape.ts';

/**
 * The deployers' keys of `stack:`. A separate list, because the type of a suite is inferred from it and the deployers'
 * types mention suites.
 */
export const stackShape = { ...packagesShape, ...imagesShape, ...composeShape };

/** The deployers' keys of `timeouts:`. */
export const stackTimeouts = { ...composeTimeouts };
