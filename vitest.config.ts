import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** End-to-end tests of several minutes: begun last, one of them would run alone at the end. */
const LONGEST = ['container', 'docker', 'quickstart', 'ssh-web', 'confirm'];

/**
 * Three machines of three architectures with one another's deadlines of a few seconds, which are Docker's and not scaled:
 * beside other guests on two cores such a swarm has no end.
 */
const ALONE = 'e2e/swarm.e2e.ts';

const DEADLINES = { testTimeout: 15 * 60_000, hookTimeout: 15 * 60_000 };

// Output folders hold copies of tests.
const EXCLUDED = ['**/node_modules/**', '**/dist/**', '**/.harness/**'];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = LONGEST.findIndex((name) => moduleId.endsWith(`/${name}.e2e.ts`));
      return place < 0 ? LONGEST.length : place;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

/**
 * Our own tests only. Suites are not tests of the harness: `harness run` starts vitest on them with a configuration of
 * its own, so `suites/**` must never be collected here.
 */
export default defineConfig({
  resolve: {
    // A checkout has no dist, which is where the package's name leads.
    alias: { 'multiarch-harness': fileURLToPath(new URL('harness/scenario/index.ts', import.meta.url)) },
  },
  test: {
    exclude: EXCLUDED,
    teardownTimeout: 60_000,
    // With --coverage, as `npm run coverage` has it: shown by folder, and no bar to pass.
    coverage: {
      provider: 'v8',
      include: ['harness/**/*.ts', 'reports/**/*.ts'],
      exclude: ['**/*.test.ts', 'harness/setup/**', 'harness/testing/**', 'harness/targets/memory/**'],
      reporter: ['json-summary'],
      reportsDirectory: '.harness/coverage',
      reportOnFailure: true,
    },
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['harness/**/*.test.ts', 'reports/**/*.test.ts'],
          // A hang is to be noticed; how busy the machine is, is not what a test asks.
          testTimeout: 240_000,
          hookTimeout: 240_000,
          // By itself vitest leaves one processor free, which on two is half of them; nothing else wants it.
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['e2e/*.e2e.ts'],
          exclude: [...EXCLUDED, ALONE],
          // A guest waits for its devices and for timers about half of its time, so that two files at once take a third less
          // than one after the other; more would wait for each other. None beside the unit tests.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          ...DEADLINES,
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: [ALONE], maxWorkers: 1, sequence: { groupOrder: 2 }, ...DEADLINES },
      },
    ],
  },
});
