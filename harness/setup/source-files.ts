import { globSync } from 'node:fs';

/** The modules below these folders, relative to the root, with `/`, sorted. Declarations (`.d.ts`) hold no code. */
export function sourceFiles(root: string, folders: readonly string[]): string[] {
  return globSync(
    folders.map((folder) => `${folder}/**/*.{ts,mts,js,mjs}`),
    { cwd: root, exclude: ['**/node_modules', '**/.harness', '**/*.d.ts'] },
  ).sort();
}
