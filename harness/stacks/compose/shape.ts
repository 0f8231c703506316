import { z } from 'zod';
import { durationSeconds } from '../../yaml/fields.ts';

/** The keys of `stack:` for Compose. */
export const composeShape = {
  compose: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .transform((files) => (typeof files === 'string' ? [files] : files))
    .optional()
    .describe(
      "A Compose file in the suite's folder, or several that Compose merges, brought up on the machine's Docker engine after the commands. Its images must be in stack.images.",
    ),
};

/** The keys of `timeouts:` for Compose. */
export const composeTimeouts = {
  compose: durationSeconds.default(60).describe('Until a Compose file is up and its services are healthy.'),
};
