import { readdirSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { CHECKOUT } from './checkout-copy.ts';
import type { TestProject } from './project.ts';

/** Set to run the package's suites completely: `npm run test:suites`. */
export const WHOLE = process.env['HARNESS_WHOLE_SUITES'] === '1';

/** The scenario files of a suite of the package: all with `npm run test:suites`, otherwise those with these prefixes. */
export function scenarioFiles(suite: string, parts: readonly string[]): string[] {
  const files = readdirSync(join(CHECKOUT, 'suites', suite)).filter((name) => name.endsWith('.scenario.ts'));
  const chosen = WHOLE ? files : files.filter((name) => parts.some((part) => name.startsWith(part)));
  if (!WHOLE && chosen.length !== parts.length)
    throw new Error(`${suite} has ${files.join(', ')}: not one each for ${parts.join(', ')}`);
  return chosen.sort();
}

/** Adds the suite to a project with only these scenario files, and what suites share; everything else is unchanged. */
export async function putSuite(project: TestProject, suite: string, scenarios: readonly string[]): Promise<void> {
  const suites = join(CHECKOUT, 'suites');
  const from = join(suites, suite);
  const left = (path: string) => path.endsWith('.scenario.ts') && !scenarios.some((name) => path === join(from, name));
  for (const folder of [suite, ...readdirSync(suites).filter((name) => name.startsWith('_'))])
    await cp(join(suites, folder), join(project.folder, 'suites', folder), {
      recursive: true,
      filter: (path) => !left(path),
    });
}
