import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds `harness/`, `suites/` and `matrices/`: the checkout, or `dist` of an installed package. */
export const packageRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Suites and matrices that come with the package: looked up after the project's own. */
export const bundled = { suites: join(packageRoot, 'suites'), matrices: join(packageRoot, 'matrices') } as const;

/** The package's name on npm. */
export const PACKAGE_NAME = 'multiarch-harness';

interface Manifest {
  readonly version: string;
  readonly repository?: { readonly url: string };
}

function readManifest(): Manifest {
  for (const folder of [packageRoot, dirname(packageRoot)]) {
    try {
      const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest & { name: string };
      if (manifest.name === PACKAGE_NAME && manifest.version) return manifest;
    } catch {
      // In an installed package it is one folder further up.
    }
  }
  return { version: '0.0.0' };
}

const manifest = readManifest();

export const version = manifest.version;

/** What `npm install` takes to install the package from its repository: `git+https://…`. */
export const installable = manifest.repository?.url.replace(/\.git$/, '') ?? PACKAGE_NAME;
