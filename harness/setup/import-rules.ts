import { posix } from 'node:path';
import { IMPORT_TABLE, type Rule } from './import-table.ts';
import { usesOf } from './module-uses.ts';

export interface Violation {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  readonly message: string;
}

/** The module that suites import, and the folder behind it. */
const PACKAGE = 'multiarch-harness';

/**
 * The imports of one file that the table forbids, and its uses of the terminal.
 * @param file relative to the checkout, with `/`
 */
export function violationsIn(file: string, source: string, table = IMPORT_TABLE): Violation[] {
  if (/\.(test|e2e)\.ts$/.test(file)) return [];
  const folder = folderOf(file);
  const rule = folder === undefined ? undefined : table[folder];
  if (folder === undefined || rule === undefined) {
    return [{ file, line: 1, message: `${folder ?? file} has no row in the import table` }];
  }
  return usesOf(source).flatMap((use) => {
    const message = use.kind === 'prints' ? printing(folder, rule, use.what) : importing(file, folder, rule, use);
    return message === undefined ? [] : [{ file, line: use.line, message }];
  });
}

/** A file's row in the table: NAME for `harness/NAME/…`, otherwise the top-level folder. */
function folderOf(file: string): string | undefined {
  const [top, second, third] = file.split('/');
  if (top === 'harness') return third === undefined ? undefined : second;
  return second === undefined ? undefined : top;
}

function printing(folder: string, rule: Rule, what: string): string | undefined {
  return rule.prints ? undefined : `${folder} uses ${what}: only cli, reports, setup, e2e and benchmarks print`;
}

function importing(
  file: string,
  folder: string,
  rule: Rule,
  use: { readonly specifier: string; readonly typesOnly: boolean },
): string | undefined {
  const target = targetOf(file, use.specifier);
  if (target === undefined) return undefined;
  if (target === 'outside') return `${folder} imports ${use.specifier}, which lies outside the checked folders`;
  if (target === folder) return undefined;
  const shown = `${folder} may not import ${target} (${use.specifier})`;
  if (folder === 'suites') {
    return use.specifier === PACKAGE ? undefined : `${shown}: a suite imports ${PACKAGE} by its name`;
  }
  if (rule.may === 'everything' || rule.may.includes(target)) return undefined;
  // The set-up runs before anything is installed: not even base.
  if (target === 'base' && folder !== 'setup') return undefined;
  if (rule.types?.includes(target)) return use.typesOnly ? undefined : `${shown}: types only`;
  return shown;
}

/** The row of an import; undefined for packages, Node's own modules and top-level data. */
function targetOf(file: string, specifier: string): string | undefined {
  if (specifier === PACKAGE) return 'scenario';
  if (!specifier.startsWith('.')) return undefined;
  const path = posix.join(posix.dirname(file), specifier);
  if (path === 'package.json') return undefined;
  return folderOf(path) ?? 'outside';
}
