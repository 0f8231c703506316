import { z } from 'zod';
import { durationSeconds } from '../../yaml/fields.ts';

/** What `stack:` says of Compose. */
export const composeShape = {
  compose: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .transform((files) => (typeof files === 'string' ? [files] : files))
    .optional()
    .describe(
      "A Compose file in the suite's folder, or several that Compose merges, brought up on the machine's Docker engine after the commands. Its images are among stack.images.",
    ),
};

/** What `timeouts:` says of it. */
export const composeTimeouts = {
  compose: durationSeconds.default(60).describe('For a Compose file to be up, and its services healthy.'),
};
