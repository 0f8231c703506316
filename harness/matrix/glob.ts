import picomatch from 'picomatch';

/** What a glob on the name of a cell matches. A plus is a plus, because it joins architectures; `+(a|b)` is a pattern. */
export function cellGlob(glob: string): (name: string) => boolean {
  return picomatch(glob.replace(/(?<!\\)\+(?!\()/g, '\\+'));
}
