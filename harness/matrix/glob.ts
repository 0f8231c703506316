import picomatch from 'picomatch';
import { cellName, parseCellName } from '../base/cell-name.ts';

/**
 * What a glob on the name of a cell matches. One that names no release (`arm64/vm/*`) matches the cells of each: it is
 * compared with their names without it. A plus is a plus, because it joins architectures; `+(a|b)` is a pattern.
 */
export function cellGlob(glob: string): (name: string) => boolean {
  const match = picomatch(glob.replace(/(?<!\\)\+(?!\()/g, '\\+'));
  // What is returned takes one argument: `some` and `filter` would give picomatch's a second.
  if (/@(?!\()/.test(glob)) return (name) => match(name);
  return (name) => {
    const parts = parseCellName(name);
    return match(parts ? cellName({ ...parts, release: undefined }) : name);
  };
}

/** What may have been meant by a glob that matches none of some names; undefined where nothing is near. */
export function globHint(glob: string, names: readonly string[]): string | undefined {
  const ends = glob.replace(/(?<!\*)\*$/, '**');
  const meant = [ends, `${glob}/**`, `**/${glob}`, `**/${glob}/**`].find((other) => names.some(cellGlob(other)));
  if (meant === undefined) return undefined;
  const why = glob.includes('*') ? '`*` stops at `/`' : 'a glob matches whole names';
  return `${why}: try '${meant}'`;
}
