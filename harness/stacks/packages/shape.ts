import { z } from 'zod';
import { debianPackage } from '../../yaml/fields.ts';

const units = z.array(z.string().regex(/^[A-Za-z0-9@._-]+$/, 'expected the name of a systemd unit')).default([]);

/** What `stack:` says of packages and of their services. */
export const packagesShape = {
  packages: z.array(debianPackage).default([]).describe('Debian packages, built into the image.'),
  services: z
    .union([
      units.transform((enabled) => ({ enabled, disabled: [] as string[] })),
      z.strictObject({
        enabled: units.describe('Units that are enabled in the image and awaited after boot.'),
        disabled: units.describe(
          'Units of packages that do not start by themselves; commands and scenarios may start them.',
        ),
      }),
    ])
    .default({ enabled: [], disabled: [] })
    .describe('systemd units, enabled in the image and awaited after boot; or which are, and which are not.'),
};
