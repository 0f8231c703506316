import { run } from '../base/process.ts';

/**
 * The given kernel modules that an image's kernel does not have, neither as a file nor built in.
 * @param archive the tar file of `/lib/modules` that the image was made with.
 * @param names with underscores, as the kernel writes them.
 */
export async function missingModules(archive: string, names: readonly string[]): Promise<string[]> {
  if (names.length === 0) return [];
  const lists = ['lib/modules/*/modules.dep', 'lib/modules/*/modules.builtin'];
  const argv = ['tar', '-xOf', archive, '--wildcards', ...lists];
  const { stdout } = await run(argv, { purpose: 'look for kernel modules' });
  const there = moduleNames(String(stdout));
  return names.filter((name) => !there.has(name));
}

/** Names in lines of modules.dep (`kernel/net/a-b.ko: kernel/…`) and modules.builtin (`kernel/net/a-b.ko`). */
export function moduleNames(text: string): Set<string> {
  const files = text.split('\n').map((line) => line.replace(/:.*/, ''));
  return new Set(
    files.map((file) =>
      file
        .replace(/.*\//, '')
        .replace(/\.ko(?:\.\w+)?$/, '')
        .replaceAll('-', '_'),
    ),
  );
}
