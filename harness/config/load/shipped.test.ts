import { join } from 'node:path';
import { expect, test } from 'vitest';
import { releaseNames } from '../../releases/index.ts';
import { composeOf } from '../../stacks/compose/command.ts';
import { loadSuite } from './load.ts';
import { listSuites } from './project.ts';

const folder = join(import.meta.dirname, '../../../suites');
const names = await listSuites([folder]);
const suites = await Promise.all(names.map((name) => loadSuite(join(folder, name))));

// An image that needs other packages in another release is written once for each, and one is easily forgotten.
test.for(releaseNames)('every image of a suite that comes with the package is built of %s, and once', (release) => {
  expect(suites.map(({ name }) => name)).toEqual(expect.arrayContaining(['docker', 'swarm']));
  for (const suite of suites) {
    const { name, stack } = suite;
    const built = stack.images.filter((image) => image.release?.includes(release) ?? true).map(({ tag }) => tag);
    expect(built, name).toEqual([...new Set(stack.images.map(({ tag }) => tag))]);
    const services = stack.compose ? composeOf(suite).services : {};
    for (const image of Object.values(services)) expect(built, name).toContain(image);
  }
});
