import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeProject } from '../e2e/support/project.ts';

/**
 * `npm run bench:timers [-- ARCH…]`: the cost of an emulated machine's timers, as in docs/performance.md: CPU seconds
 * that QEMU takes for the same commands on machines with fine and with coarse timers, each booted twice, one after the
 * other. Prints Markdown.
 */
const archs = process.argv.length > 2 ? process.argv.slice(2) : ['amd64'];
const suite = (timers: string) => `needs: [docker]
machine: {vcpus: 1, memory: 1024, disk: 4096, timers: ${timers}}
stack:
  packages: [docker.io, iptables]
  services: [docker]
  images: [{tag: "tool:1", packages: [busybox-static], command: [/bin/busybox, sleep, "3600"]}]
timeouts: {boot: 30, command: 20, test: 100}
`;
const commands = [
  'docker version',
  'docker run --rm --network none tool:1 /bin/busybox true',
  'docker run --rm tool:1 /bin/busybox true',
];
const TIMES = 6;
const scenario = `import { appendFileSync, readFileSync } from 'node:fs';
import { test } from 'multiarch-harness';
for (const command of ${JSON.stringify(commands)})
  test(command, async ({ target }) => {
    const cell = new URL(\`../../.harness/runs/latest/cells/\${target.name}/target.json\`, import.meta.url);
    const { pid } = JSON.parse(readFileSync(cell, 'utf8'));
    // In hundredths of a second, in user and in kernel mode.
    const used = () => readFileSync(\`/proc/\${pid}/stat\`, 'utf8').split(') ')[1].split(' ').slice(11, 13).reduce((sum, ticks) => sum + Number(ticks) / 100, 0);
    await target.sh(command);
    const before = used();
    await target.sh(\`for i in $(seq ${TIMES}); do \${command}; done >/dev/null\`, { seconds: 100 });
    const seconds = (used() - before) / ${TIMES};
    appendFileSync(new URL('../../figures', import.meta.url), JSON.stringify({ cell: target.name, command, seconds }) + '\\n');
  });
`;
const ORDER = ['fine', 'coarse', 'fine-again', 'coarse-again'];
await using project = await makeProject({
  'matrices/timers.yaml': `arch: [${archs.join(', ')}]\nsuite: [${ORDER.join(', ')}]\n`,
  ...Object.fromEntries(
    ORDER.flatMap((name) => [
      [`suites/${name}/suite.yaml`, suite(name.split('-')[0]!)],
      [`suites/${name}/a.scenario.ts`, scenario],
    ]),
  ),
});
for (const name of ORDER) {
  const { exitCode, stderr } = await project.harness(['run', 'timers', '--suite', name, '--jobs', '1', '--cold']);
  if (exitCode !== 0) throw new Error(`the run ended with ${exitCode}:\n${stderr.split('\n').slice(-30).join('\n')}`);
}
const figures = (await readFile(join(project.folder, 'figures'), 'utf8'))
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as { readonly cell: string; readonly command: string; readonly seconds: number });
process.stdout.write('| | command | fine | coarse | ratio |\n|---|---|---:|---:|---:|\n');
for (const arch of archs)
  for (const command of commands) {
    const mean = (timers: string) => {
      const own = figures.filter((one) => one.cell.startsWith(`${arch}/vm/${timers}`) && one.command === command);
      return own.reduce((sum, { seconds }) => sum + seconds, 0) / own.length;
    };
    const [fine, coarse] = [mean('fine'), mean('coarse')];
    const shown = [fine, coarse].map((seconds) => `${seconds.toFixed(2)} s`).join(' | ');
    process.stdout.write(`| ${arch} | \`${command}\` | ${shown} | ${(fine / coarse).toFixed(2)} |\n`);
  }
