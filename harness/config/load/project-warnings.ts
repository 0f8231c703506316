import { ConfigError } from '../../base/errors.ts';
import { yamlFile } from '../../yaml/yaml-file.ts';
import { loadMatrix } from './matrix.ts';
import { findSuite, listMatrices, listSuites, type Project } from './project.ts';
import { strayFiles } from './stray.ts';
import { loadSuite } from './suite.ts';

/**
 * Mistakes in a project that stop nothing, one or more sentences each: suites with a mistake that no cell uses, and
 * files that are not read.
 * @param used names of suites that were already checked.
 */
export async function projectWarnings(
  project: Project,
  used: ReadonlySet<string>,
  cwd: string = process.cwd(),
): Promise<string[]> {
  const others = (await listSuites([project.suites])).filter((name) => !used.has(name));
  const mistakes = await mistakesIn(others, async (name) =>
    loadSuite((await findSuite(name, [project.suites]))!, cwd, { whole: false }),
  );
  return [...mistakes, ...(await strayFiles(project, cwd))];
}

/** Mistakes in a project's matrices. */
export async function matrixMistakes({ matrices }: Project, cwd: string = process.cwd()): Promise<string[]> {
  return mistakesIn(await listMatrices(matrices), async (name) =>
    loadMatrix((await yamlFile(matrices, name, cwd))!, cwd),
  );
}

async function mistakesIn(names: readonly string[], load: (name: string) => Promise<unknown>): Promise<string[]> {
  const found = await Promise.all(
    names.map((name) =>
      load(name).then(
        () => [],
        (error: unknown) => {
          if (!(error instanceof ConfigError)) throw error;
          return [error.message];
        },
      ),
    ),
  );
  return found.flat();
}
