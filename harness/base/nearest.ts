import { distance } from 'fastest-levenshtein';

/** The closest known word, ignoring case, or undefined if none is close. */
export function nearest(word: string, among: readonly string[]): string | undefined {
  // The cost grows with the product of the lengths, and nothing that long is a typo of one of our words.
  if (word.length > 100) return undefined;
  const wanted = word.toLowerCase();
  const [best] = among
    .map((candidate) => ({ candidate, far: apart(wanted, candidate.toLowerCase()) }))
    .filter(({ candidate, far }) => far <= Math.ceil(Math.max(wanted.length, candidate.length) * 0.4))
    .sort((a, b) => a.far - b.far);
  return best?.candidate;
}

/** Levenshtein's distance, but transposed letters are closest of all: most typos are transpositions. */
function apart(a: string, b: string): number {
  const sorted = (text: string) => [...text].sort().join('');
  return a !== b && a.length === b.length && sorted(a) === sorted(b) ? 0.5 : distance(a, b);
}

/** `; did you mean "x"?`, or nothing. */
export function didYouMean(word: string, among: readonly string[]): string {
  const meant = nearest(word, among);
  return meant === undefined || meant === word ? '' : `; did you mean "${meant}"?`;
}

/** `expected "x"`, or `expected one of a, b, c`; a long list is cut. */
export function expectedOneOf(among: readonly string[]): string {
  if (among.length === 0) return 'and there are none';
  if (among.length === 1) return `expected "${among[0]}"`;
  const shown = among.slice(0, 20).join(', ');
  return `expected one of ${shown}${among.length > 20 ? `, … (${among.length} in all)` : ''}`;
}
