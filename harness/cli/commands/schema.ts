import { readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { schemaFiles as reportSchemas } from '../../../reports/index.ts';
import { packageRoot } from '../../base/package.ts';
import { schemaFiles as configSchemas } from '../../config/schema/json-schema.ts';
import type { CliCommand } from '../command.ts';

/** `harness schema`: writes the committed JSON schemas from the zod ones. */
async function schema(options: { readonly check?: boolean }): Promise<number> {
  const results = Object.entries(reportSchemas()).map(([name, text]) => ({
    path: join(packageRoot, name),
    text,
  }));
  let stale = 0;
  for (const { path, text } of [...configSchemas(), ...results]) {
    const fresh = (await readFile(path, 'utf8').catch(() => '')) === text;
    if (!fresh && !options.check) await writeFile(path, text);
    if (!fresh) stale += 1;
    process.stdout.write(
      `${fresh ? 'up to date' : options.check ? 'STALE' : 'written'}  ${relative(process.cwd(), path)}\n`,
    );
  }
  return options.check && stale > 0 ? 1 : 0;
}

export const schemaCommand: CliCommand = {
  name: 'schema',
  declare: (command) =>
    command
      .description('write the JSON schemas of matrices, suites and results')
      .option('--check', 'write nothing; exit with 1 when a schema is out of date'),
  act: schema,
};
