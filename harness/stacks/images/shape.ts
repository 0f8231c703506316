import { z } from 'zod';
import {
  archField,
  debianPackage,
  durationSeconds,
  nameField,
  plainFile,
  portField,
  releaseField,
} from '../../yaml/fields.ts';

/** A container image, built on the controller once per architecture, with one tag for all. */
const containerImage = z.strictObject({
  tag: z
    .string()
    .regex(
      /^[a-z0-9]+(?:[._/-][a-z0-9]+)*:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/,
      'expected name:tag, such as "my-web:1"',
    ),
  arch: z.array(archField).min(1).optional().describe('Architectures that it is built for. Default: all.'),
  release: z
    .array(releaseField)
    .min(1)
    .optional()
    .describe('Debian releases it is built from; for packages whose names differ between releases. Default: all.'),
  packages: z.array(debianPackage).default([]).describe('Debian packages, unpacked with their dependencies.'),
  without: z
    .array(debianPackage)
    .default([])
    .describe(
      'Packages to leave out, with what only they need: those that only maintainer scripts use, which do not run.',
    ),
  exclude: z
    .array(z.string().regex(/^\/[^\0]*$/, 'expected an absolute path, in which * matches anything'))
    .default([])
    .describe('Paths of the packages to leave out, with everything below them: an engine loads every byte.'),
  files: z.array(plainFile).default([]),
  command: z.array(z.string()).min(1).describe('argv of its command.'),
  ports: z.array(portField).default([]),
  health: z
    .strictObject({ command: z.array(z.string()).min(1), seconds: durationSeconds.default(1) })
    .optional()
    .describe('A command in the container that exits with 0 while it is healthy, and the interval between its runs.'),
});

/** The keys of `stack:` for container images and the registry that machines pull them from. */
export const imagesShape = {
  images: z
    .array(containerImage)
    .default([])
    .describe('Container images, on the disk of the machine and loaded into its Docker engine.'),
  registry: nameField
    .optional()
    .describe(
      'The machine of a cluster that runs a registry: the images are pushed there under one tag for all architectures, and every machine pulls its own.',
    ),
};
