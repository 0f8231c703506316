import { posix } from 'node:path';

/** What each file imports of the others when it is run: types leave nothing behind. All by path from the root. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

/**
 * Circles of files that import one another, each once, from the file whose path comes first. Which one of a circle is
 * loaded first decides what the others see of it, so that a new import elsewhere can break them.
 * Tarjan's algorithm: https://doi.org/10.1137/0201010. It goes as deep as chains of imports are long.
 */
export function importCycles(graph: ImportGraph): string[][] {
  const numbers = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const circles: string[][] = [];
  const visit = (file: string): void => {
    numbers.set(file, numbers.size);
    lowest.set(file, numbers.get(file)!);
    stack.push(file);
    for (const next of graph.get(file) ?? []) {
      if (!graph.has(next)) continue;
      if (!numbers.has(next)) visit(next);
      else if (!stack.includes(next)) continue;
      lowest.set(file, Math.min(lowest.get(file)!, lowest.get(next)!));
    }
    if (lowest.get(file) !== numbers.get(file)) return;
    const circle = stack.splice(stack.lastIndexOf(file));
    if (circle.length > 1 || graph.get(file)?.includes(file)) circles.push(circle.sort());
  };
  for (const file of [...graph.keys()].sort()) if (!numbers.has(file)) visit(file);
  return circles;
}

/** The file that an import of another leads to, if it is a relative one. */
export function importedFile(from: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : undefined;
}
