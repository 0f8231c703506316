import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { nearest } from '../../base/nearest.ts';
import { hasYamlFile, YAML_ENDINGS, yamlName } from '../../yaml/yaml-file.ts';
import { shownPath } from '../../yaml/yaml-source.ts';
import type { Project } from './project.ts';

/** Names of files in which configuration is kept, ours or another tool's; also of copies that an editor leaves. */
const CONFIGURATION = /\.(ya?ml|json5?|jsonc|toml)(\.[a-z0-9~]+|~)?$/i;

/**
 * Files of a project that look like configuration but are not read, one sentence each: otherwise a wrong extension or a
 * typo would look like a file without effect.
 */
export async function strayFiles({ root, matrices, suites }: Project, cwd: string = process.cwd()): Promise<string[]> {
  const found: string[] = [];
  const unread = (file: string, why: string) => void found.push(`${shownPath(file, cwd)} is not read: ${why}`);
  for (const { name } of (await entries(root)).filter((entry) => entry.isFile())) {
    const meant = YAML_ENDINGS.map((ending) => `machines${ending}`);
    const stem = name.replace(CONFIGURATION, '').toLowerCase();
    if (!meant.includes(name) && CONFIGURATION.test(name) && nearest(stem, ['machines', 'inventory']) !== undefined)
      unread(join(root, name), 'the inventory of machines is machines.yaml');
  }
  for (const { name } of (await entries(matrices)).filter((entry) => entry.isFile()))
    if (yamlName(name) === undefined && CONFIGURATION.test(name))
      unread(join(matrices, name), 'a matrix is a file NAME.yaml');
  for (const entry of await entries(suites)) {
    const place = join(suites, entry.name);
    if (entry.isFile() && CONFIGURATION.test(entry.name)) unread(place, 'a suite is a folder with suite.yaml in it');
    if (!entry.isDirectory() || entry.name.startsWith('_') || (await hasYamlFile(place, 'suite'))) continue;
    const files = (await entries(place)).map(({ name }) => name);
    const meant = files.find((name) => CONFIGURATION.test(name)) ?? files.find((name) => SUITE_FILE.test(name));
    if (meant !== undefined) unread(place, `it has ${meant}, and no suite.yaml`);
  }
  return found;
}

const SUITE_FILE = /\.(scenario|bench)\.ts$/;

async function entries(folder: string): Promise<Dirent[]> {
  const found = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return found.filter(({ name }) => !name.startsWith('.')).sort((a, b) => (a.name < b.name ? -1 : 1));
}
