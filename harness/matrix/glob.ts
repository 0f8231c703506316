import picomatch from 'picomatch';
import { cellName, parseCellName } from '../base/cell-name.ts';

/**
 * Matches names of cells with a glob. One without a release (`arm64/vm/*`) matches the cells of each: it is compared
 * with their names without the release. A plus is literal, because it joins architectures; `+(a|b)` is a pattern.
 */
export function cellGlob(glob: string): (name: string) => boolean {
  const match = picomatch(glob.replace(/(?<!\\)\+(?!\()/g, '\\+'));
  // The returned function takes one argument: `some` and `filter` would pass a second one to picomatch.
  if (/@(?!\()/.test(glob)) return (name) => match(name);
  return (name) => {
    const parts = parseCellName(name);
    return match(parts ? cellName({ ...parts, release: undefined }) : name);
  };
}

/** A suggestion for a glob that matches none of some names; undefined if nothing is close. */
export function globHint(glob: string, names: readonly string[]): string | undefined {
  const ends = glob.replace(/(?<!\*)\*$/, '**');
  const meant = [ends, `${glob}/**`, `**/${glob}`, `**/${glob}/**`].find((other) => names.some(cellGlob(other)));
  if (meant === undefined) return undefined;
  const why = glob.includes('*') ? '`*` stops at `/`' : 'a glob matches whole names';
  return `${why}: try '${meant}'`;
}
