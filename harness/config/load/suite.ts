import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { whyNotAFileOf } from '../../base/file-inside.ts';
import { didYouMean, expectedOneOf } from '../../base/nearest.ts';
import { quote } from '../../base/quote.ts';
import { isSoftware } from '../../stacks/build.ts';
import { deployersOf } from '../../stacks/deployers.ts';
import { readYaml } from '../../yaml/yaml.ts';
import { yamlFile } from '../../yaml/yaml-file.ts';
import type { Problem } from '../../yaml/yaml-source.ts';
import { type SuiteConfig, suiteSchema } from '../schema/suite.ts';
import type { Suite } from '../suite.ts';

/**
 * Reads the suite in a folder, and checks what a schema cannot: that its files exist and lie inside the folder, and
 * that every name is one of something.
 * @param options.whole whether deployers read the files that are theirs, which takes a while.
 * @throws ConfigError with all problems, see `readYaml`.
 */
export async function loadSuite(
  folder: string,
  cwd: string = process.cwd(),
  { whole = true }: { readonly whole?: boolean } = {},
): Promise<Suite> {
  const place = resolve(folder);
  const file = (await yamlFile(place, 'suite', cwd)) ?? join(place, 'suite.yaml');
  const { data, source } = await readYaml(file, suiteSchema, cwd);
  // Vite uses the real path of its files.
  const real = await realpath(place);
  const used = deployersOf(data);
  const problems = [
    ...nameProblems(data, basename(place)),
    ...pathProblems(real),
    ...portProblems(data),
    ...nodeProblems(data),
    ...(await Promise.all(used.map((deployer) => deployer.problems?.(data, place) ?? []))).flat(),
    ...(await fileProblems(data, real)),
    ...(await softwareProblems(data, real)),
  ];
  if (problems.length > 0) throw source.error(problems);
  const suite = { ...data, name: basename(place), folder: real };
  if (!whole) return suite;
  const parts: Record<string, object> = {};
  for (const { name, load } of used) if (load) parts[name] = await load(data, { name: suite.name, folder: real, cwd });
  return { ...suite, parts };
}

function nameProblems(suite: SuiteConfig, folder: string): Problem[] {
  if (suite.name === undefined || suite.name === folder) return [];
  return [
    { path: ['name'], text: `name is ${quote(suite.name)}, expected ${quote(folder)}, the name of the suite's folder` },
  ];
}

function nodeProblems({ nodes }: SuiteConfig): Problem[] {
  const all = Object.entries(nodes);
  const [first] = all;
  if (first === undefined || all.some(([, { blank }]) => blank === undefined)) return [];
  return [
    {
      path: ['nodes', first[0], 'blank'],
      text: `every node is blank, expected one with a system beside them: { ctl: {}, ${first[0]}: { blank: {} } }; it is the \`target\` of scenarios`,
    },
  ];
}

/** Characters that vite, which loads the files, does not treat as part of a path. */
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
  const checks: [Problem['path'], SuiteConfig['stack']['ready'][number]][] = [
    ...stack.ready.map((check, index): (typeof checks)[number] => [['stack', 'ready', index], check]),
    ...stack.commands.flatMap((step, index): typeof checks =>
      'await' in step ? [[['stack', 'commands', index, 'await'], step.await]] : [],
    ),
  ];
  return checks.flatMap(([at, check]) => [
    ...unknown([...at, 'http', 'port'], check.http?.port),
    ...unknown([...at, 'tcp'], check.tcp),
  ]);
}

function expectedPort(ports: readonly string[]): string {
  return ports.length === 0 ? 'expected a name from stack.ports, which is empty' : expectedOneOf(ports);
}

/** Folders of software that are not there. */
async function softwareProblems({ stack }: SuiteConfig, folder: string): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const [index, entry] of stack.build.entries()) {
    if (!isSoftware(entry) || !entry.source.startsWith('.')) continue;
    const is = await stat(resolve(folder, entry.source)).catch(() => undefined);
    if (!is?.isDirectory())
      problems.push({
        path: ['stack', 'build', index, 'source'],
        text: `${quote(entry.source)} is ${is ? 'no folder' : 'not there'}, expected a folder relative to the suite's`,
      });
  }
  return problems;
}

async function fileProblems({ stack }: SuiteConfig, folder: string): Promise<Problem[]> {
  const lists = [
    { path: ['stack', 'files'] as Problem['path'], files: stack.files },
    ...stack.images.map(({ files }, index) => ({ path: ['stack', 'images', index, 'files'], files })),
    ...stack.ramdisks.map(({ files }, index) => ({ path: ['stack', 'ramdisks', index, 'files'], files })),
  ];
  return (await Promise.all(lists.map(({ path, files }) => problemsOfFiles(path, files, folder)))).flat();
}

async function problemsOfFiles(
  where: Problem['path'],
  files: readonly { readonly path: string; readonly from?: string | undefined }[],
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
    const why = file.from === undefined ? undefined : await whyNotAFile(folder, file.from);
    if (why !== undefined)
      problems.push({
        path: [...path, 'from'],
        text: `${shown.slice(1)}[${index}].from is ${quote(file.from ?? '')}, ${why}`,
      });
  }
  return problems;
}

/** What keeps a path from naming a file of a suite, or one that it shares: in a folder beside it that begins with `_`. */
async function whyNotAFile(folder: string, from: string): Promise<string | undefined> {
  const [, shared, inside] = /^\.\.\/(_[^/]+)\/(.+)$/.exec(from) ?? [];
  if (shared === undefined) return whyNotAFileOf(folder, from);
  const why = await whyNotAFileOf(join(dirname(folder), shared), inside!);
  return why?.replace('did you mean "', `did you mean "../${shared}/`);
}
