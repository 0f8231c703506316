import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { notesOf, problemOf } from './release.mjs';

const changelog =
  '# Changelog\n\n## Unreleased\n\n- soon\n\n## 1.10.0 - 2026-12-01\n\n- new\n\n## [1.1.0]\n\n- old\n\n## 0.9.0\n';

test('the notes of a version are its own section', () => {
  expect(notesOf(changelog, '1.10.0')).toBe('- new');
  expect(notesOf(changelog, '1.1.0')).toBe('- old');
  expect(notesOf(changelog, '1.1')).toBeUndefined();
  expect(notesOf(changelog, '0.9.0')).toBeUndefined();
});

test.each([
  ['v1.10.0', '1.10.0', undefined],
  ['v1.10.1', '1.10.0', 'the tag is v1.10.1, and package.json has 1.10.0'],
  ['1.10.0', '1.10.0', 'the tag is 1.10.0, and package.json has 1.10.0'],
  ['v0.9.0', '0.9.0', 'CHANGELOG.md has no section 0.9.0'],
])('the tag %s of version %s', (tag, version, problem) => {
  expect(problemOf(tag, version, changelog)).toBe(problem);
});

test('the changelog has the version of package.json', async () => {
  const own = await readFile(join(import.meta.dirname, '../../CHANGELOG.md'), 'utf8');
  expect(problemOf(`v${packageJson.version}`, packageJson.version, own)).toBeUndefined();
});
