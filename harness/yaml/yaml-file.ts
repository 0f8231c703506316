import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../base/errors.ts';
import { shownPath } from './yaml-source.ts';

/** Extensions of YAML files; people use either. */
export const YAML_ENDINGS = ['.yaml', '.yml'] as const;

/** A name without its YAML extension; undefined for other files. */
export function yamlName(file: string): string | undefined {
  const ending = YAML_ENDINGS.find((one) => file.endsWith(one) && file.length > one.length);
  return ending && file.slice(0, -ending.length);
}

/**
 * The YAML file of a name in a folder, with either extension; undefined if there is none.
 * @throws ConfigError if both exist, because only one would be read.
 */
export async function yamlFile(folder: string, name: string, cwd: string = process.cwd()): Promise<string | undefined> {
  const files = YAML_ENDINGS.map((ending) => join(folder, `${name}${ending}`));
  const found = await Promise.all(files.map(async (file) => (await stat(file).catch(() => undefined))?.isFile()));
  const [file, second] = files.filter((_, index) => found[index]);
  if (file !== undefined && second !== undefined)
    throw new ConfigError(`cannot choose between ${shownPath(file, cwd)} and ${shownPath(second, cwd)}`, {
      hint: 'Remove one of the two.',
    });
  return file;
}

/** Whether there is a YAML file of a name in a folder, or two. */
export async function hasYamlFile(folder: string, name: string): Promise<boolean> {
  return yamlFile(folder, name).then(
    (file) => file !== undefined,
    () => true,
  );
}
