import { join } from 'node:path';
import { z } from 'zod';
import { machinesSchema } from './machines.ts';
import { matrixSchema } from './matrix.ts';
import { quarantineSchema } from './quarantine.ts';
import { suiteSchema } from './suite.ts';

/** The folder of the generated schemas, to which the first line of a YAML file points editors. */
export const schemasFolder = join(import.meta.dirname, '../schemas');

/** The JSON schemas (draft 7, which editors support) of users' files. */
export function jsonSchemas(): Record<'matrix' | 'suite' | 'machines' | 'quarantine', object> {
  const make = (schema: z.ZodType) => z.toJSONSchema(schema, { io: 'input', target: 'draft-07' });
  return {
    matrix: make(matrixSchema),
    suite: make(suiteSchema),
    machines: make(machinesSchema),
    quarantine: make(quarantineSchema),
  };
}

/** The schema files as they are committed, with absolute paths. */
export function schemaFiles(): { path: string; text: string }[] {
  return Object.entries(jsonSchemas()).map(([name, schema]) => ({
    path: join(schemasFolder, `${name}.schema.json`),
    text: `${JSON.stringify(schema, null, 2)}\n`,
  }));
}
