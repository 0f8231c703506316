import { z } from 'zod';
import { absolutePath, argvField, debianPackage, madePath, mebibytes, releaseField } from '../../yaml/fields.ts';

/** A Debian source package, or a folder: `./daemon`, `../..`. */
const sourceOfSoftware = z
  .string()
  .regex(
    /^(?:[a-z0-9][a-z0-9+.-]*[a-z0-9+.]|\.\.?(?:\/.*)?)$/,
    'expected the name of a Debian source package, or a folder that begins with "./" or "../"',
  )
  .describe(
    "The name of a Debian source package, which has Debian's patches; or a folder, relative to the suite's: `./daemon`, the files that git tracks or does not ignore.",
  );

/** A package of compilers, whose name may hold that of the architecture: `gcc-$DEB_HOST_GNU_TYPE`. */
const crossPackage = z
  .string()
  .regex(
    /^(?:[a-z0-9+.-]|\$DEB_HOST_GNU_TYPE|\$DEB_HOST_ARCH)+$/,
    'expected the name of a Debian package, in which $DEB_HOST_GNU_TYPE and $DEB_HOST_ARCH stand for the architecture',
  );

/** Software that is made from source once for each architecture, and put into the image. */
export const softwareBuild = z.strictObject({
  source: sourceOfSoftware,
  release: releaseField.optional().describe("The release whose source and compilers are used. Default: the guest's."),
  needs: z.array(debianPackage).default([]).describe('Packages that the commands need, on the controller.'),
  cross: z
    .array(crossPackage)
    .default([])
    .describe(
      'Further packages where the machine has another architecture than the controller: `[gcc-$DEB_HOST_GNU_TYPE, libc6-dev-$DEB_HOST_ARCH-cross]`.',
    ),
  prepare: z
    .array(argvField)
    .default([])
    .describe(
      'Commands that run before `run`, once for all architectures, on the controller: without $GOARCH and the like. `run` starts from the folder that they leave.',
    ),
  run: z
    .array(argvField)
    .min(1)
    .describe(
      'Commands run in the source folder, as root in a system of their own without a network, with $HARNESS_ARCH, $GOARCH, $DEB_HOST_ARCH and $DEB_HOST_GNU_TYPE. A string goes through sh.',
    ),
  artifacts: z
    .record(madePath, absolutePath)
    .refine((files) => Object.keys(files).length > 0, 'expected at least one file')
    .describe('Files that they make, and where each is put in the image: `{ bin/daemon: /usr/local/bin/daemon }`.'),
  emulated: z
    .boolean()
    .default(false)
    .describe(
      "Whether the commands run in a system of the machine's own architecture, through qemu-user where it is foreign: for software that cannot be cross-compiled.",
    ),
  memory: mebibytes.optional().describe('MiB that its processes may take together. Default: images.build-memory.'),
});
