import { makeProject, suiteYaml, type TestProject } from './project.ts';

/** The counted commands, and the largest allowed spread of 20 runs: commands that use the kernel more differ more. */
export const COUNTED = {
  'bound by the processor': { most: 0.0005, command: "['perl', '-e', '$x += $_ * $_ % 7 for 1 .. 100000']" },
  'fork, exec and system calls': {
    most: 0.005,
    command: "'for i in 1 2 3 4 5 6 7 8 9 10; do /bin/true; done'",
  },
  'heavy on memory': { most: 0.02, command: "'head -c 4000000 /dev/zero | sort | wc -c'" },
} as const;

/** A project whose benchmarks count instructions; counting a command that waits is refused. */
export function countingProject(archs: string): Promise<TestProject> {
  const tests = Object.entries(COUNTED).map(
    ([name, { command }]) => `test('${name}', ({ measure }) => measure.instructions(${command}));\n`,
  );
  return makeProject({
    'matrices/count.yaml': `arch: [${archs}]\nsuite: [count]\n`,
    'suites/count/suite.yaml': suiteYaml(),
    'suites/count/a.scenario.ts': `import { test } from 'multiarch-harness';\ntest('is there', () => {});\n`,
    'suites/count/a.bench.ts': `import { expect, test } from 'multiarch-harness';
${tests.join('')}
const refused = (measure, command, why) => expect(measure.instructions(command, { samples: 6 })).rejects.toThrow(why);
test('what sleeps', ({ measure }) => refused(measure, 'sleep 0.2', 'was idle for'));
test('what waits for the disk', ({ measure }) =>
  refused(measure, 'dd if=/dev/zero of=/var/x bs=4k count=50 oflag=sync', 'it waits for the disk'));
test('what fails', ({ measure }) => expect(measure.instructions('exit 3')).rejects.toThrow('it exited with 3'));
`,
  });
}

/** Median millions of instructions per sample in the newest run, by cell and benchmark. */
export async function countsOf(project: TestProject): Promise<Map<string, number>> {
  const { cells } = await project.results();
  return new Map(
    cells.flatMap((cell) =>
      cell.benchmarks.map(({ name, samplesMs }) => {
        const sorted = samplesMs.toSorted((a, b) => a - b);
        return [`${cell.arch} ${name}`, (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2];
      }),
    ),
  );
}
