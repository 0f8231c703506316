import { join } from 'node:path';
import { stringify } from 'yaml';
import { matrixTemplate, schemaLine, type Template } from './templates.ts';

/** Packages that a command is known to need, by the words in it; what is installed beside costs an image some seconds. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  make: ['build-essential'],
  cmake: ['build-essential', 'cmake'],
  ctest: ['build-essential', 'cmake'],
  meson: ['build-essential', 'meson', 'ninja-build'],
  ninja: ['build-essential', 'ninja-build'],
  gcc: ['build-essential'],
  cc: ['build-essential'],
  pytest: ['python3-pytest'],
  python3: ['python3'],
  tox: ['tox'],
  go: ['golang-go'],
  cargo: ['cargo'],
  bats: ['bats'],
  npm: ['npm'],
  node: ['nodejs'],
  mvn: ['maven'],
};

/** What `harness init --command` writes: a suite of one command, with the project as its source. */
export function commandStarter(command: string): Template[] {
  const words = command.match(/[A-Za-z0-9_.-]+/g) ?? [];
  const packages = [...new Set(words.flatMap((word) => PACKAGES[word] ?? []))];
  return [
    matrixTemplate('checks', 'checks', 'The project’s own tests on three architectures.'),
    {
      path: join('suites', 'checks', 'suite.yaml'),
      text: `${schemaLine('suite')}
description: ${JSON.stringify(`\`${command}\` on each machine.`)}
machine: { memory: 1024, disk: 4096 }
# The project: the files that git tracks or does not ignore are copied to the machine.
source: ../..
stack:
  # Debian packages that the command needs: they are built into the image.
  packages: ${JSON.stringify(packages)}
# Run once, before the snapshot, and again when a file that it reads has changed.
setup: []
tests:
${stringify([{ run: command }])
  .trimEnd()
  .replace(/^/gm, '  ')}
    # If the command can report each of its tests: tap, go-json, { junit: report.xml }, … Default: its exit code.
    results: exit
`,
    },
  ];
}
