import type { z } from 'zod';
import { problemsOf } from './issues.ts';
import { openYaml, type YamlSource } from './yaml-source.ts';

export interface ReadYaml<T> {
  readonly data: T;
  /** Reports problems that the schema cannot find. */
  readonly source: YamlSource;
}

/**
 * Reads a YAML file and checks it against a schema.
 * @param cwd files below it are named relative to it.
 * @throws ConfigError with all problems of the file, one per line, each as
 * `file:line:column: what, expected what; did you mean "x"?`
 */
export async function readYaml<S extends z.ZodType>(
  file: string,
  schema: S,
  cwd: string = process.cwd(),
): Promise<ReadYaml<z.output<S>>> {
  const source = await openYaml(file, cwd);
  const result = schema.safeParse(source.value);
  if (!result.success) throw source.error(problemsOf(result.error.issues, schema, source.value));
  return { data: result.data, source };
}
