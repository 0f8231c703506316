// `release.mjs check TAG` fails unless the tag is the version of package.json and CHANGELOG.md has a section for it;
// `release.mjs notes TAG` prints that section.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * A version's section of a changelog: the lines below its heading, up to the next heading.
 * @param {string} changelog @param {string} version @returns {string | undefined} undefined without a section, or without text
 */
export function notesOf(changelog, version) {
  const sections = changelog.split(/^## /m).slice(1);
  const section = sections.find((text) => /^\[?([^\]\s]+)/.exec(text)?.[1] === version);
  return section?.slice(section.indexOf('\n')).trim() || undefined;
}

/**
 * Why a tag is not a release.
 * @param {string} tag @param {string} version of package.json @param {string} changelog
 * @returns {string | undefined} undefined when it is one
 */
export function problemOf(tag, version, changelog) {
  if (tag !== `v${version}`) return `the tag is ${tag}, and package.json has ${version}`;
  if (notesOf(changelog, version) === undefined) return `CHANGELOG.md has no section ${version}`;
  return undefined;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , command, tag = ''] = process.argv;
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
  const problem = problemOf(tag, version, changelog);
  if (problem !== undefined) {
    process.stderr.write(`cannot release ${tag}: ${problem}\n  next: fix it on main, and tag that commit\n`);
    process.exitCode = 1;
  } else if (command === 'notes') process.stdout.write(`${notesOf(changelog, version)}\n`);
}
