// `node harness/setup/check-imports.ts`: fails when a file imports against the table of docs/architecture.md, and when files
// import one another.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { importCycles, importedFile } from './import-cycles.ts';
import { violationsIn } from './import-rules.ts';
import { usesOf } from './module-uses.ts';
import { sourceFiles } from './source-files.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const files = sourceFiles(root, ['harness', 'reports', 'e2e', 'benchmarks', 'suites']);
const sources = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
const violations = [...sources].flatMap(([file, source]) => violationsIn(file, source));
const cycles = importCycles(new Map([...sources].map(([file, source]) => [file, importsOf(file, source)])));

for (const { file, line, message } of violations) process.stderr.write(`${file}:${line}  ${message}\n`);
process.stderr.write(
  violations.length === 0
    ? `Checked the imports of ${files.length} files.\n`
    : `${violations.length} imports against the table in harness/setup/import-table.ts\n`,
);
for (const cycle of cycles) process.stderr.write(`These files import one another:\n  ${cycle.join('\n  ')}\n`);
process.exitCode = violations.length + cycles.length === 0 ? 0 : 1;

/** What a file imports when it is run. */
function importsOf(file: string, source: string): string[] {
  return usesOf(source).flatMap((use) =>
    use.kind === 'import' && !use.typesOnly ? (importedFile(file, use.specifier) ?? []) : [],
  );
}
