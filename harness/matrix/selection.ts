import { basename, dirname, resolve } from 'node:path';
import { placeBelow } from '../base/files.ts';
import { bundled } from '../base/package.ts';
import type { Project } from '../config/load/project.ts';
import type { Matrix } from '../config/suite.ts';
import { preferencesOf } from '../config/targets.ts';
import type { Selection } from '../events/types.ts';
import type { CellOptions } from './plan.ts';

/** Options that do not choose cells; all others belong to the choice. */
const NOT_SELECTING: ReadonlySet<string> = new Set([
  ...['json', 'jobs', 'keep', 'part', 'report', 'summary', 'pause', 'pauseMinutes', 'quiet', 'verbose', 'color'],
  ...['history', 'page', 'commitUrl', 'on', 'detach', 'into', 'images', 'pin', 'push'],
  ...[
    'github',
    'gitlab',
    'buildkite',
    'kubernetes',
    'claim',
    'queue',
    'kvm',
    'shards',
    'runner',
    'defaultRunner',
    'image',
    'before',
    'call',
  ],
]);

/** Options that exist only with `--no-`. */
const NEGATED: ReadonlySet<string> = new Set(['bench', 'control']);

/** Options whose value is a path. */
const PATHS: ReadonlySet<string> = new Set(['machines', 'durations', 'source']);

/** The choices of a command line, valid for `harness run` anywhere in the project. */
export function selectionOf(options: CellOptions, matrix: Matrix, project: Project, cwd: string): Selection {
  const written = Object.entries(options)
    // `--no-bench` is the option; its absence is not a choice.
    .filter(([name, value]) => !NOT_SELECTING.has(name) && value !== undefined && !(NEGATED.has(name) && value))
    .map(([name, value]) => [name, PATHS.has(name) && typeof value === 'string' ? placed(value, project, cwd) : value]);
  return {
    ...(matrix.file === undefined ? {} : { matrix: matrixWord(matrix.file, project) }),
    options: Object.fromEntries(written) as Selection['options'],
    ...(preferencesOf(matrix).some((kinds) => kinds.length > 1) ? { prefers: true as const } : {}),
  };
}

/** The name of a matrix: its path, or just its name if it comes with the package, which is outside of the project. */
function matrixWord(file: string, project: Project): string {
  const fromPackage = dirname(file) === bundled.matrices && bundled.matrices !== project.matrices;
  return fromPackage ? basename(file).replace(/\.ya?ml$/, '') : (placeBelow(project.root, file) ?? file);
}

function placed(path: string, project: Project, cwd: string): string {
  const file = resolve(cwd, path);
  return placeBelow(project.root, file) ?? file;
}
