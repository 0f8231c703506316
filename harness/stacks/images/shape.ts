import { z } from 'zod';
import {
  archField,
  debianPackage,
  durationSeconds,
  nameField,
  portField,
  releaseField,
  stackFile,
} from '../../yaml/fields.ts';

/** A container image, built on the controller once an architecture, with one tag for all. */
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
    .describe('Debian releases that it is built of, where packages have other names in others. Default: all.'),
  packages: z.array(debianPackage).default([]).describe('Debian packages, unpacked with what they depend on.'),
  without: z
    .array(debianPackage)
    .default([])
    .describe(
      'Packages that are left out, with what only they need: what only maintainer scripts use, which do not run.',
    ),
  exclude: z
    .array(z.string().regex(/^\/[^\0]*$/, 'expected an absolute path, in which * stands for anything'))
    .default([])
    .describe('Paths of the packages that are left out, with what is below them: an engine loads every byte.'),
  files: z.array(stackFile).default([]),
  command: z.array(z.string()).min(1).describe('argv of what it runs.'),
  ports: z.array(portField).default([]),
  health: z
    .strictObject({ command: z.array(z.string()).min(1), seconds: durationSeconds.default(1) })
    .optional()
    .describe('A command in the container that exits with 0 while it is healthy, and how often it is run.'),
});

/** What `stack:` says of container images, and of where machines have them from. */
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
