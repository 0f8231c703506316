import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds `harness/`, `suites/` and `matrices/`: the checkout, or `dist` of an installed package. */
export const packageRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Suites and matrices that come with the package: looked up after the project's own. */
export const bundled = { suites: join(packageRoot, 'suites'), matrices: join(packageRoot, 'matrices') } as const;

function readVersion(): string {
  for (const folder of [packageRoot, dirname(packageRoot)]) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<
        string,
        string
      >;
      if (name === 'multiarch-harness' && version) return version;
    } catch {
      // In an installed package it is one folder further up.
    }
  }
  return '0.0.0';
}

export const version = readVersion();
