import { posix } from 'node:path';

/** The imports of each file at run time, without types; paths are relative to the root. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

/**
 * Import cycles among files, each once, starting at the file whose path sorts first. Which file of a cycle is loaded
 * first decides what the others see of it, so a new import elsewhere can break them. Tarjan's algorithm:
 * https://doi.org/10.1137/0201010. It goes as deep as chains of imports are long.
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

/** The file that a relative import refers to; undefined for any other import. */
export function importedFile(from: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : undefined;
}
