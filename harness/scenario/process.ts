import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BaseSequencer, createVitest, type TestSpecification } from 'vitest/node';
import { cacheFolder } from '../base/folders.ts';
import { chooser } from '../events/chosen.ts';
import { errorDataOf } from '../events/error-data.ts';
import { fileInSuite, SUITE_FILES } from './context.ts';
import { isCi } from './left-in-only.ts';
import type { SuiteOrder, SuiteReport } from './messages.ts';
import { eventReporter } from './reporter.ts';
import { errorData } from './thrown.ts';

/** Files run in order of name, so that an author decides the order. */
class ByName extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.sort((a, b) => (a.moduleId < b.moduleId ? -1 : 1));
  }
}

/**
 * A suite's process: runs its files with vitest against a target that another process holds, and reports each event to
 * its parent. One process per cell, so that a suite that hangs or crashes affects nothing else.
 */
async function main({ context, scenarioModule, runnerModule }: SuiteOrder): Promise<void> {
  const { suite } = context;
  const vitest = await createVitest(
    {
      watch: false,
      config: false,
      root: suite.folder,
      include: [SUITE_FILES[context.step]],
      exclude: ['**/node_modules/**'],
      passWithNoTests: true,
      runner: runnerModule,
      reporters: [eventReporter(context, send)],
      provide: { harness: context },
      testTimeout: context.testTimeoutMs,
      hookTimeout: context.testTimeoutMs,
      teardownTimeout: 5000,
      retry: context.retries,
      repeats: (context.repeat ?? 1) - 1,
      maxWorkers: 1,
      fileParallelism: false,
      includeTaskLocation: true,
      // The runner records output at once: vitest sends it later, and loses it if the process dies.
      disableConsoleIntercept: true,
      allowOnly: !isCi(process.env['CI']),
      sequence: { sequencer: ByName },
      // Files come one after another, and a target's state is shared by all of them anyway.
      pool: 'forks',
      // The default is a node_modules of the suite's project, which need not have one.
      fsModuleCachePath: join(cacheFolder(), 'vitest'),
    },
    {
      cacheDir: context.cacheFolder,
      logLevel: 'silent',
      clearScreen: false,
      resolve: { alias: { 'multiarch-harness': scenarioModule } },
    },
  );
  const chosen = chooser(context.tests, suite.name);
  const all = await vitest.globTestSpecifications();
  const files = all.filter(({ moduleId }) => chosen.file(fileInSuite(suite, moduleId)));
  // vitest treats a run without files as an error; a suite may have no benchmarks.
  if (files.length === 0) {
    send({ type: 'done', files: 0, problems: [], left: all.map(({ moduleId }) => fileInSuite(suite, moduleId)) });
    return vitest.close();
  }
  await vitest.standalone();
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(files, files.length === all.length);
  const problems = unhandledErrors.map((error) => errorData(error, suite));
  const left = testModules.flatMap((module) => {
    const file = fileInSuite(suite, module.moduleId);
    return [...module.children.allTests()].flatMap(({ fullName }) => (chosen.test(file, fullName) ? [] : [fullName]));
  });
  send({ type: 'done', files: testModules.length, problems, left });
  await vitest.close();
}

function send(report: SuiteReport): void {
  process.send?.(report);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const orphaned = () => process.exit(1);
  // Without its parent there is nobody to report to.
  process.once('disconnect', orphaned);
  process.once('message', (order) => {
    main(order as SuiteOrder)
      .catch((error: unknown) => {
        send({ type: 'done', files: 0, problems: [errorDataOf(error)], left: [] });
      })
      .finally(() => {
        process.off('disconnect', orphaned);
        process.disconnect();
      });
  });
}
