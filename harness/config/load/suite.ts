import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { didYouMean, expectedOneOf } from '../../base/nearest.ts';
import { quote } from '../../base/quote.ts';
import { loadCompose } from '../compose.ts';
import { registryFiles } from '../registry.ts';
import { type SuiteConfig, suiteSchema } from '../schema/suite.ts';
import type { Suite } from '../suite.ts';
import { readYaml } from '../yaml/yaml.ts';
import { yamlFile } from '../yaml/yaml-file.ts';
import type { Problem } from '../yaml/yaml-source.ts';

/**
 * Reads the suite in a folder, and checks what a schema cannot: that its files exist and lie inside the folder, and
 * that every name is one of something.
 * @param options.withCompose whether Compose is asked about its files, which takes a while.
 * @throws ConfigError with all problems, see `readYaml`.
 */
export async function loadSuite(
  folder: string,
  cwd: string = process.cwd(),
  { withCompose = true }: { readonly withCompose?: boolean } = {},
): Promise<Suite> {
  const place = resolve(folder);
  const file = (await yamlFile(place, 'suite', cwd)) ?? join(place, 'suite.yaml');
  const { data, source } = await readYaml(file, suiteSchema, cwd);
  // Where its files really are is what vite calls them.
  const real = await realpath(place);
  const problems = [
    ...nameProblems(data, basename(place)),
    ...pathProblems(real),
    ...portProblems(data),
    ...registryProblems(data),
    ...(await composeProblems(data, place)),
    ...(await fileProblems(data, place)),
  ];
  if (problems.length > 0) throw source.error(problems);
  const compose = withCompose ? await loadCompose(data, { name: basename(place), folder: real, cwd }) : undefined;
  return { ...data, name: basename(place), folder: real, compose };
}

function nameProblems(suite: SuiteConfig, folder: string): Problem[] {
  if (suite.name === undefined || suite.name === folder) return [];
  return [
    { path: ['name'], text: `name is ${quote(suite.name)}, expected ${quote(folder)}, the name of the suite's folder` },
  ];
}

/** What vite, which loads the files, takes for something else than a part of a path. */
function pathProblems(folder: string): Problem[] {
  const letter = /[#?\\]/.exec(folder)?.[0];
  return letter === undefined
    ? []
    : [
        {
          path: [],
          text: `the suite cannot be loaded from ${folder}: \`${letter}\` means something else in a path to vite, move it elsewhere`,
        },
      ];
}

function portProblems({ stack }: SuiteConfig): Problem[] {
  const ports = Object.keys(stack.ports);
  const unknown = (path: Problem['path'], name: string | undefined): Problem[] =>
    name === undefined || Object.hasOwn(stack.ports, name)
      ? []
      : [{ path, text: `unknown port ${quote(name)}, ${expectedPort(ports)}${didYouMean(name, ports)}` }];
  return stack.ready.flatMap((check, index) => [
    ...unknown(['stack', 'ready', index, 'http', 'port'], check.http?.port),
    ...unknown(['stack', 'ready', index, 'tcp'], check.tcp),
  ]);
}

function registryProblems({ nodes, stack: { registry, files } }: SuiteConfig): Problem[] {
  const path: Problem['path'] = ['stack', 'registry'];
  if (registry === undefined) return [];
  const names = Object.keys(nodes);
  if (names.length === 0) return [{ path, text: 'stack.registry is for clusters: the suite names no nodes' }];
  const problems: Problem[] = names.includes(registry)
    ? []
    : [{ path, text: `unknown node ${quote(registry)}, ${expectedOneOf(names)}${didYouMean(registry, names)}` }];
  const written = Object.keys(registryFiles(registry));
  for (const [index, file] of files.entries())
    if (written.includes(file.path))
      problems.push({
        path: ['stack', 'files', index, 'path'],
        text: `${quote(file.path)} is written by stack.registry, expected another file`,
      });
  return problems;
}

async function composeProblems({ stack: { compose } }: SuiteConfig, folder: string): Promise<Problem[]> {
  const files = await Promise.all(
    (compose ?? []).map(async (file) => [file, await whyNotAFileOf(folder, file)] as const),
  );
  return files.flatMap(([file, why]) =>
    why === undefined ? [] : [{ path: ['stack', 'compose'], text: `stack.compose is ${quote(file)}, ${why}` }],
  );
}

function expectedPort(ports: readonly string[]): string {
  return ports.length === 0 ? 'expected a name from stack.ports, which is empty' : expectedOneOf(ports);
}

async function fileProblems({ stack }: SuiteConfig, folder: string): Promise<Problem[]> {
  const lists = [
    { path: ['stack', 'files'] as Problem['path'], files: stack.files },
    ...stack.images.map(({ files }, index) => ({ path: ['stack', 'images', index, 'files'], files })),
  ];
  return (await Promise.all(lists.map(({ path, files }) => problemsOfFiles(path, files, folder)))).flat();
}

async function problemsOfFiles(
  where: Problem['path'],
  files: SuiteConfig['stack']['files'],
  folder: string,
): Promise<Problem[]> {
  const problems: Problem[] = [];
  const seen = new Set<string>();
  const shown = where.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  for (const [index, file] of files.entries()) {
    const path = [...where, index];
    if (seen.has(file.path))
      problems.push({
        path: [...path, 'path'],
        text: `${quote(file.path)} is written twice, expected one file for each path`,
      });
    seen.add(file.path);
    const why = file.from === undefined ? undefined : await whyNotAFileOf(folder, file.from);
    if (why !== undefined)
      problems.push({
        path: [...path, 'from'],
        text: `${shown.slice(1)}[${index}].from is ${quote(file.from ?? '')}, ${why}`,
      });
  }
  return problems;
}

/** What keeps a path from naming a file inside a folder; symbolic links are followed, and may not lead out. */
async function whyNotAFileOf(folder: string, from: string): Promise<string | undefined> {
  const inside = "expected a file in the suite's folder";
  const file = resolve(folder, from);
  if (from.includes('\0') || isAbsolute(from) || !file.startsWith(folder + sep)) return inside;
  try {
    if (!(await realpath(file)).startsWith((await realpath(folder)) + sep))
      return `${inside}: the link leads out of it`;
    return (await stat(file)).isFile() ? undefined : `${inside}: it is not a file`;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') return `${inside}: ${(error as Error).message}`;
    const there = (await readdir(dirname(file)).catch(() => [])).map((name) => join(dirname(from), name));
    return `${inside}: there is no such file${didYouMean(from, there)}`;
  }
}
