import { readFileSync } from 'node:fs';

/**
 * The distribution whose package names apply to this machine, and its version. Derivatives count as their parent.
 * @typedef {{ family: 'debian' | 'ubuntu', version: number }} Distribution
 */

/**
 * Reads os-release(5). A Debian without a version (testing, unstable) is newer than all that have one.
 * @param {string} text
 * @returns {Distribution}
 */
export function distributionFrom(text) {
  /** @param {string} key */
  const value = (key) => new RegExp(`^${key}=["']?([^"'\\n]*)`, 'm').exec(text)?.[1] ?? '';
  const names = `${value('ID')} ${value('ID_LIKE')}`.split(' ');
  const version = Number.parseFloat(value('VERSION_ID'));
  return {
    family: names.includes('ubuntu') ? 'ubuntu' : 'debian',
    version: Number.isNaN(version) ? Number.POSITIVE_INFINITY : version,
  };
}

/** This machine's. @returns {Distribution} */
export function thisDistribution() {
  try {
    return distributionFrom(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return distributionFrom('');
  }
}
