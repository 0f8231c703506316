import { filePattern, namePattern } from './chosen.ts';
import type { TestName } from './identity.ts';

/** Characters that a terminal or a page would not show as they are, and the replacement for lost text. */
const UNSHOWN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\ufffd]/u;

/**
 * A value of `--test` that matches one full name and no other: the name itself if that suffices, else a regular
 * expression that matches nothing else. It contains no control character, even if the name does.
 */
export function exactName(name: string, others: readonly string[]): string {
  const plain = name.trim() !== '' && name !== '--' && !UNSHOWN.test(name) && !isRegex(name);
  if (plain && others.every((other) => other === name || !namePattern(name)(other))) return name;
  return `/^${[...name].map(escaped).join('')}$/`;
}

function isRegex(name: string): boolean {
  return /^\/.+\/[a-z]*$/s.test(name);
}

/** A character in a regular expression without flags. Invalid Unicode is stored as U+FFFD, so it may have been anything. */
function escaped(character: string): string {
  if (character === '\ufffd') return '[^]';
  if (!UNSHOWN.test(character)) return character.replace(/[\\^$.*+?()[\]{}|]/, '\\$&');
  return [...Array(character.length).keys()]
    .map((unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`)
    .join('');
}

/** A value of `--file` that matches one file of a suite and no other. */
export function exactFile(file: string, others: readonly Pick<TestName, 'file'>[]): string {
  const glob = file.replace(/[*?[\]{}()!+@|^$]/g, '\\$&').replaceAll('\\\\', '?');
  // Its name alone may match files in other folders, too.
  const values = [file, `./${file}`, glob, `./${glob}`];
  const means = (value: string) => {
    const match = filePattern(value);
    return match('', file) && others.every((other) => other.file === file || !match('', other.file));
  };
  return values.find(means) ?? `./${file}`;
}
