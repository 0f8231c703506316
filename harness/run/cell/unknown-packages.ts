import { join } from 'node:path';
import { ConfigError } from '../../base/errors.ts';
import { didYouMean } from '../../base/nearest.ts';
import type { Suite } from '../../config/suite.ts';
import type { UnknownPackagesError } from '../../images/apt.ts';
import { isSoftware } from '../../stacks/build.ts';
import { openYaml, type Problem } from '../../yaml/yaml-source.ts';

/**
 * The error with the places where the suite names the packages: `suites/web/suite.yaml:3:14: unknown package …`. It has
 * no place if the suite has no file or does not name the packages itself.
 */
export async function placedIn(suite: Suite, error: UnknownPackagesError, cwd = process.cwd()): Promise<ConfigError> {
  const { names, arch, release, known, hint } = error;
  const source = await openYaml(join(suite.folder, 'suite.yaml'), cwd).catch(() => undefined);
  const problems = names.flatMap((name): Problem[] => {
    const path = placeOf(name, suite);
    const text = `unknown package "${name}": Debian ${release} has none of that name for ${arch}${didYouMean(name, known)}`;
    return path ? [{ path, text }] : [];
  });
  if (!source || problems.length === 0) {
    const meant = names.map((name) => didYouMean(name, known)).join('');
    return new ConfigError(`${error.message}${meant}`, { cause: error, ...(hint === undefined ? {} : { hint }) });
  }
  const { message } = source.error(problems);
  return new ConfigError(message, { cause: error, ...(hint === undefined ? {} : { hint }) });
}

/** Where the suite names a package. */
function placeOf(name: string, { stack }: Suite): (string | number)[] | undefined {
  const own = stack.packages.indexOf(name);
  if (own >= 0) return ['stack', 'packages', own];
  for (const [index, { packages }] of stack.images.entries()) {
    const at = packages.indexOf(name);
    if (at >= 0) return ['stack', 'images', index, 'packages', at];
  }
  for (const [index, entry] of stack.build.entries()) {
    const at = isSoftware(entry) ? entry.needs.indexOf(name) : -1;
    if (at >= 0) return ['stack', 'build', index, 'needs', at];
  }
  return undefined;
}
