import picomatch from 'picomatch';

/** What a glob on the name of a cell matches. A plus is a plus, because it joins architectures; `+(a|b)` is a pattern. */
export function cellGlob(glob: string): (name: string) => boolean {
  const match = picomatch(glob.replace(/(?<!\\)\+(?!\()/g, '\\+'));
  // It takes a second argument, which `some` and `filter` would give it.
  return (name) => match(name);
}

/** What may have been meant by a glob that matches none of some names; undefined where nothing is near. */
export function globHint(glob: string, names: readonly string[]): string | undefined {
  const ends = glob.replace(/(?<!\*)\*$/, '**');
  const meant = [ends, `${glob}/**`, `**/${glob}`, `**/${glob}/**`].find((other) => names.some(cellGlob(other)));
  if (meant === undefined) return undefined;
  const why = glob.includes('*') ? '`*` stops at `/`' : 'a glob matches whole names';
  return `${why}: try '${meant}'`;
}
