import { basename, dirname, join } from 'node:path';

/**
 * Path of the schemas in the installed package. A path relative to the YAML file is the only form that editors
 * understand and that works on every machine.
 */
const fromNodeModules = (schema: string): string => {
  const root = dirname(dirname(import.meta.dirname));
  const built = basename(root) === 'dist' ? 'dist/' : '';
  return `node_modules/multiarch-harness/${built}harness/config/schemas/${schema}.schema.json`;
};

/** A file that `harness init` writes. */
export interface Template {
  /** Relative to the project. */
  readonly path: string;
  readonly text: string;
}

/** The line that tells an editor the schema of a file in a suite's folder, or of a matrix. */
export function schemaLine(schema: 'matrix' | 'suite'): string {
  return `# yaml-language-server: $schema=${schema === 'matrix' ? '../' : '../../'}${fromNodeModules(schema)}`;
}

/** A matrix of one suite on three architectures. */
export function matrixTemplate(name: string, suite: string, description: string): Template {
  return {
    path: join('matrices', `${name}.yaml`),
    text: `${schemaLine('matrix')}
description: ${description} Run it with \`npx harness run ${name}\`.
arch: [amd64, arm64, ppc64le]
suite: [${suite}]
`,
  };
}

/** The default files of `harness init`. The suite needs nothing that a guest lacks. */
export const templates: readonly Template[] = [
  matrixTemplate('first', 'hello', 'A first matrix, one suite on three architectures.'),
  {
    path: join('suites', 'hello', 'suite.yaml'),
    text: `${schemaLine('suite')}
description: A file on each machine, and a look at what reads it.
machine: { vcpus: 1, memory: 256 }
stack:
  # Debian packages go here: they are built into the image.
  packages: []
  files:
    - path: /srv/hello.txt
      content: |
        hello
  ready:
    - command: test -s /srv/hello.txt
`,
  },
  {
    path: join('suites', 'hello', 'hello.scenario.ts'),
    text: `import { expect, test } from 'multiarch-harness';

test('the machine is of its architecture', async ({ target }) => {
  expect(await target.sh('uname -m')).toBe(target.arch.machine);
});

test('the file is there', async ({ target }) => {
  expect(await target.read('/srv/hello.txt')).toBe('hello\\n');
});

test('a pipeline counts its bytes', async ({ target }) => {
  const { exitCode, stdout } = await target.exec('cat /srv/hello.txt | wc -c');
  expect({ exitCode, count: Number(stdout) }).toEqual({ exitCode: 0, count: 6 });
});
`,
  },
  {
    path: join('suites', 'hello', 'hello.bench.ts'),
    text: `import { test } from 'multiarch-harness';

test('perl adds numbers', async ({ measure }) => {
  await measure.inGuest(['perl', '-e', 'my $sum = 0; $sum += $_ for 1 .. 100_000'], {
    operations: 100_000,
    per: 'addition',
  });
});
`,
  },
];
