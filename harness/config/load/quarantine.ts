import type { QuarantineEntry } from '../../events/types.ts';
import { readYaml } from '../../yaml/yaml.ts';
import { yamlFile } from '../../yaml/yaml-file.ts';
import { quarantineSchema } from '../schema/quarantine.ts';
import type { Project } from './project.ts';

/** An entry of `quarantine.yaml`, without the facts from a history. */
export type LoadedQuarantine = Omit<QuarantineEntry, 'passedBefore'>;

/**
 * A project's quarantine: `quarantine.yaml` in its root, in the file's order; empty without a file.
 * @throws ConfigError with every mistake at its line, such as an entry without a link or an expiry.
 */
export async function loadQuarantine(project: Project, cwd: string = process.cwd()): Promise<LoadedQuarantine[]> {
  const file = await yamlFile(project.root, 'quarantine', cwd);
  if (file === undefined) return [];
  const { data, source } = await readYaml(file, quarantineSchema, cwd);
  return data.map(({ test, cell, arch, target, link, owner, expires }, index) => ({
    ...(test === undefined ? {} : { test }),
    ...(cell === undefined ? {} : { cell }),
    ...(arch === undefined ? {} : { arch: [arch].flat() }),
    ...(target === undefined ? {} : { target: [target].flat() }),
    link,
    ...(owner === undefined ? {} : { owner }),
    expires,
    where: source.place([index]),
  }));
}
