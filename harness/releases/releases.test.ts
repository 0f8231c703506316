import { describe, expect, test } from 'vitest';
import { architectures } from '../arch/index.ts';
import { packagesIn, releaseNames, releases } from './index.ts';

describe('releases', () => {
  test('each goes by its own name, and has its main archive first', () => {
    for (const name of releaseNames) {
      expect(releases[name].name).toBe(name);
      expect(releases[name].archives[0]).toEqual({ suite: name, beside: '' });
    }
  });

  test('every architecture is in one of them', () => {
    for (const arch of Object.values(architectures))
      expect(releaseNames).toEqual(expect.arrayContaining([...arch.releases]));
  });

  test('a package comes with the packages split off from it, once', () => {
    expect(packagesIn('trixie', ['docker.io', 'docker-cli', 'iptables'])).toEqual([
      'docker.io',
      'docker-cli',
      'iptables',
    ]);
    expect(packagesIn('bookworm', ['docker.io', 'iptables'])).toEqual(['docker.io', 'iptables']);
  });
});
