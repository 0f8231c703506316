import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { nativeArch } from '../harness/arch/index.ts';
import type { EntryMeta } from '../harness/images/cache.ts';
import { nodeOf } from './support/fake-cells.ts';
import { makeProject, matrixYaml, troubles } from './support/project.ts';
import { startSlurm } from './support/slurm.ts';

const suite = join(dirname(import.meta.dirname), 'suites/smoke');
const NODES = ['n1', 'n2'];

/** What the cache of a node has. */
async function entriesOf(cache: string): Promise<EntryMeta[]> {
  const images = join(cache, 'images');
  const found: EntryMeta[] = [];
  for (const name of await readdir(images)) {
    const text = await readFile(join(images, name, 'meta.json'), 'utf8').catch(() => undefined);
    if (text !== undefined) found.push(JSON.parse(text) as EntryMeta);
  }
  return found;
}

// Slurm's daemons switch to the user of a job.
test.runIf(process.getuid?.() === 0)(
  'real guests on two nodes: with an empty remote cache they build, with a full one they build nothing',
  async () => {
    const arch = nativeArch()!.name;
    const scenario = await readFile(join(suite, 'smoke.scenario.ts'), 'utf8');
    const yaml = await readFile(join(suite, 'suite.yaml'), 'utf8');
    // One on each: a cell takes all CPUs of a node.
    await using cluster = await startSlurm(
      NODES.map((name) => ({ name, feature: arch })),
      { slots: 1 },
    );
    await using project = await makeProject({
      'matrices/smoke.yaml': matrixYaml(['smoke', 'again']).replace('amd64', arch),
      ...Object.fromEntries(
        ['smoke', 'again'].flatMap((name) => [
          [`suites/${name}/suite.yaml`, yaml] as const,
          [`suites/${name}/smoke.scenario.ts`, scenario] as const,
        ]),
      ),
      '.gitignore': '.harness\nstate\ntmp\nshared\ncaches\nremote\n',
    });
    const caches = join(project.folder, 'caches');
    await writeFile(
      join(project.folder, 'machines.yaml'),
      `engines:
  lab:
    kind: slurm
    shared: ${join(project.folder, 'shared')}
    cache: file://${join(project.folder, 'remote')}
    setup: export HARNESS_CACHE=${caches}/$HARNESS_NODE
    poll-seconds: 0.5
`,
    );
    await execa('git', ['init', '-q'], { cwd: project.folder });
    const run = async () => {
      const { exitCode, stderr } = await project.harness(['run', 'smoke', '--on', 'lab', '--no-bench'], cluster.env);
      expect(exitCode, stderr).toBe(0);
      const results = await project.results();
      expect(troubles(results)).toEqual([]);
      expect(results.cells.map(nodeOf).sort()).toEqual(NODES);
    };
    await run();
    const remote = await readdir(join(project.folder, 'remote'));
    expect(remote.some((name) => name.startsWith('disk-'))).toBe(true);
    await rm(caches, { recursive: true });
    const second = Date.now();
    await run();
    for (const node of NODES) {
      const entries = await entriesOf(join(caches, node));
      expect(entries.map(({ kind }) => kind)).toContain('disk');
      const built = entries.filter(({ createdAt }) => Date.parse(createdAt) >= second);
      expect(built.map(({ kind, label }) => `${kind} ${label}`)).toEqual([]);
    }
  },
);
