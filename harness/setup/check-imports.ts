// `node harness/setup/check-imports.ts`: fails when a file imports against the table of docs/architecture.md.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { violationsIn } from './import-rules.ts';
import { sourceFiles } from './source-files.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const files = sourceFiles(root, ['harness', 'reports', 'e2e', 'benchmarks', 'suites']);
const violations = files.flatMap((file) => violationsIn(file, readFileSync(join(root, file), 'utf8')));

for (const { file, line, message } of violations) process.stderr.write(`${file}:${line}  ${message}\n`);
process.stderr.write(
  violations.length === 0
    ? `Checked the imports of ${files.length} files.\n`
    : `${violations.length} imports against the table in harness/setup/import-table.ts\n`,
);
process.exitCode = violations.length === 0 ? 0 : 1;
