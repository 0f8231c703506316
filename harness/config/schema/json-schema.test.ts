import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { schemaFiles } from './json-schema.ts';

test.each(schemaFiles().map(({ path, text }) => [basename(path), path, text]))(
  '%s is what the schemas say',
  async (name, path, text) => {
    expect(await readFile(path, 'utf8'), `${name} is stale: run \`npx harness schema\` and commit what it writes`).toBe(
      text,
    );
  },
);
