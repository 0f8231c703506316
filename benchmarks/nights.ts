import { copyFile, cp } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readHistory } from '../harness/nights/history-index.ts';
import { trendsOf } from '../harness/nights/trends.ts';
import { percent } from '../reports/nightly/words.ts';
import { dayBefore, injected, nightsProject } from './run-nights.ts';

/**
 * `npm run bench:nights [-- NIGHTS [ARCHS [FOLDER]]]`: NIGHTS real nights (30) of the suite `web`, one after the
 * other, in a project that gets a commit before each; two of the commits really make it slower. Prints the changes
 * that the page finds; exits with 1 unless they are exactly those two. FOLDER gets the history and the page.
 */
const nights = Number(process.argv[2] ?? 30);
const archs = process.argv[3] ?? 'amd64, arm64, ppc64le';
const keep = process.argv[4] === undefined ? undefined : resolve(process.argv[4]);
const changes = injected(nights);
const out = (line: string) => process.stdout.write(`${line}\n`);

await using project = await nightsProject(archs);
for (let night = 1; night <= nights; night++) {
  await dayBefore(project, night, changes);
  const started = performance.now();
  const { exitCode, stdout, stderr } = await project.harness(['nightly', 'nights', '--page', 'page.html']);
  if (exitCode !== 0)
    throw new Error(`night ${night} ended with ${exitCode}:\n${stderr.split('\n').slice(-30).join('\n')}`);
  out(`night ${night}, ${Math.round((performance.now() - started) / 1000)} s: ${stdout.trim().split('\n').join('; ')}`);
  if (keep !== undefined) {
    await cp(join(project.folder, 'history'), join(keep, 'history'), { recursive: true });
    await copyFile(join(project.folder, 'page.html'), join(keep, 'page.html'));
  }
}

const history = await readHistory(join(project.folder, 'history'), join(project.folder, 'index.sqlite'));
const { groups, trends } = trendsOf(history.map(({ night }) => night));
out(`\n| change | first night | benchmarks that show it | by |\n|---|---:|---:|---:|`);
for (const { first, members } of groups.toReversed()) {
  const known = changes.find(({ night }) => Math.abs(night - 1 - first) <= 2);
  const by = members.map(({ change }) => change.ratio).sort((a, b) => a - b);
  out(
    `| ${known?.subject ?? 'none that was made'} | ${first + 1} | ${members.length} of ${trends.length} | ${percent(by[0]!)} to ${percent(by.at(-1)!)} |`,
  );
}
const found = changes.filter(({ night }) => groups.some(({ first }) => Math.abs(night - 1 - first) <= 2));
out(
  `\n${found.length} of ${changes.length} found, ${groups.length - found.length} that nobody made, in ${history.length} nights`,
);
if (found.length !== changes.length || groups.length !== changes.length) process.exitCode = 1;
