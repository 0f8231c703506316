import { median as medianOf } from 'simple-statistics';
import { makeProject } from './project.ts';

/**
 * `npm run bench:timers [-- ARCH…]`: what an emulated machine's timers cost, as in docs/performance.md. The same commands
 * on a machine with coarse and on one with fine timers, one machine after the other. Prints Markdown.
 */
const archs = process.argv.slice(2);
const suite = (timers: string) => `needs: [docker]
machine: {vcpus: 1, memory: 1024, disk: 4096, timers: ${timers}}
stack:
  packages: [docker.io, iptables]
  services: [docker]
  images: [{tag: "tool:1", packages: [busybox-static], command: [/bin/busybox, sleep, "3600"]}]
timeouts: {boot: 30, command: 20, benchmark: 60}
`;
const commands = [
  'docker version',
  'docker run --rm --network none tool:1 /bin/busybox true',
  'docker run --rm tool:1 /bin/busybox true',
  'for i in 1 2 3 4 5 6 7 8 9 10; do /bin/ls /; done',
];
const benches = `import { test } from 'multiarch-harness';
for (const command of ${JSON.stringify(commands)})
  test(command, ({ measure }) => measure.inGuest(command, { samples: 6 }));
`;
const order = ['coarse', 'fine', 'coarse-again', 'fine-again'];
const files = order.flatMap((name) => [
  [`suites/${name}/suite.yaml`, suite(name.split('-')[0]!)],
  [`suites/${name}/a.bench.ts`, benches],
]);
await using project = await makeProject({
  'matrices/timers.yaml': `arch: [${archs.length > 0 ? archs.join(', ') : 'amd64'}]\nsuite: [${order.join(', ')}]\n`,
  ...Object.fromEntries(files),
});
const { exitCode, stderr } = await project.harness(['run', 'timers', '--jobs', '1']);
if (exitCode !== 0) throw new Error(`the run ended with ${exitCode}:\n${stderr.split('\n').slice(-30).join('\n')}`);
const { cells } = await project.results();
process.stdout.write('| | command | fine | coarse | ratio |\n|---|---|---:|---:|---:|\n');
for (const arch of new Set(cells.map((cell) => cell.arch)))
  for (const command of commands) {
    const median = (timers: string) =>
      medianOf(
        cells
          .filter((cell) => cell.arch === arch && cell.suite.startsWith(timers))
          .flatMap(({ benchmarks }) => benchmarks.find(({ name }) => name === command)!.samplesMs),
      );
    const [fine, coarse] = [median('fine'), median('coarse')];
    const shown = [fine, coarse].map((ms) => `${Math.round(ms)} ms`).join(' | ');
    process.stdout.write(`| ${arch} | \`${command}\` | ${shown} | ${(fine / coarse).toFixed(2)} |\n`);
  }
