import { z } from 'zod';
import { debianPackage } from '../../yaml/fields.ts';

/** The keys of `stack:` for packages and their services. */
export const packagesShape = {
  packages: z.array(debianPackage).default([]).describe('Debian packages, built into the image.'),
  services: z
    .array(z.string().regex(/^[A-Za-z0-9@._-]+$/, 'expected the name of a systemd unit'))
    .default([])
    .describe('systemd units, enabled in the image and awaited after boot.'),
};
