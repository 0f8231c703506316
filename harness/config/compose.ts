import { join } from 'node:path';
import type { ArchName } from '../arch/index.ts';
import { ConfigError } from '../base/errors.ts';
import { didYouMean, expectedOneOf } from '../base/nearest.ts';
import { quote } from '../base/quote.ts';
import { askCompose, onMachine } from './compose-model.ts';
import { composeProgram } from './compose-program.ts';
import type { SuiteConfig } from './schema/suite.ts';
import { openYaml, type Problem, shownPath } from './yaml/yaml-source.ts';

/** A suite's Compose files, as Compose itself understands them. */
export interface ComposeStack {
  /** The first of them, on the controller, absolute. */
  readonly file: string;
  /** JSON, which is YAML: what is deployed. Everything in it is resolved, and paths are those of the machine. */
  readonly content: string;
  /** The image of each service that is started. */
  readonly services: Readonly<Record<string, string>>;
}

/** Where paths of a suite's Compose file that begin with `./` are, on the machine. */
export function projectFolder(suite: string): string {
  return `/srv/${suite}`;
}

/** The project of a suite's services, which is in the names and labels of its containers. */
export function projectName(suite: string): string {
  return suite.replaceAll('.', '-');
}

/**
 * Has Compose read a suite's files, and checks that the images are among those that the suite builds: there is no registry
 * to pull others from.
 * @param name the suite's.
 * @returns undefined for a suite without Compose; `services` is missing where this host has none to ask.
 * @throws ConfigError in Compose's words where it refuses them; and with every service whose image there is not.
 */
export async function loadCompose(
  suite: SuiteConfig,
  { name, folder, cwd }: { readonly name: string; readonly folder: string; readonly cwd: string },
): Promise<ComposeStack | undefined> {
  const { compose, images } = suite.stack;
  if (compose === undefined) return undefined;
  const files = compose.map((file) => join(folder, file));
  const [file] = files as [string];
  const program = await composeProgram();
  // What only expands a matrix needs no Compose; who deploys it says that it is missing.
  if (program === undefined) return { file, content: '', services: {} };
  const shown = files.map((one) => shownPath(one, cwd)).join(' and ');
  const model = await askCompose(program, files, { folder, project: projectName(name), shown });
  const tags = images.map(({ tag }) => tag);
  const services: Record<string, string> = {};
  const problems: Problem[] = [];
  // Compose 1 tells of those that are not started as well.
  const started = Object.entries(model.services).filter(
    ([, { profiles = [] }]) => profiles.length === 0 || !program.version.startsWith('1.'),
  );
  for (const [service, { image }] of started) {
    if (image === undefined) {
      const text = `the service ${quote(service)} names no image, expected one that stack.images of suite.yaml builds`;
      problems.push({ path: ['services', service], atKey: true, text });
    } else if (tags.includes(tagged(image))) {
      services[service] = tagged(image);
    } else {
      const text = `the service ${quote(service)} runs the image ${quote(image)}, which stack.images of suite.yaml does not build, ${expectedOneOf(tags)}${didYouMean(image, tags)}`;
      problems.push({ path: ['services', service, 'image'], text });
    }
  }
  if (started.length === 0)
    problems.push({ path: ['services'], text: `no service is started, expected at least one without a profile` });
  if (problems.length > 0) throw await placed(file, problems, cwd);
  return { file, content: JSON.stringify(onMachine(model, folder, projectFolder(name))), services };
}

/** With the place of each problem, where our own reader of YAML can read the file. */
async function placed(file: string, problems: readonly Problem[], cwd: string): Promise<ConfigError> {
  try {
    return (await openYaml(file, cwd)).error(problems);
  } catch {
    return new ConfigError(problems.map(({ text }) => `${shownPath(file, cwd)}: ${text}`).join('\n'));
  }
}

/** Whether a suite's stack is in containers. */
export function usesEngine({ stack }: { readonly stack: Pick<SuiteConfig['stack'], 'images' | 'compose'> }): boolean {
  return stack.compose !== undefined || stack.images.length > 0;
}

/** An image by Docker's short name of it, with a tag. */
export function tagged(image: string): string {
  const short = image.replace(/^(?:index\.)?docker\.io\/(?:library\/)?/, '');
  return /:[^/]*$/.test(short) ? short : `${short}:latest`;
}

/** Why a Compose file cannot be deployed on an architecture, naming the first service whose image there is not for it. */
export function missingImage(
  {
    compose,
    stack,
  }: { readonly compose?: ComposeStack | undefined; readonly stack: Pick<SuiteConfig['stack'], 'images'> },
  arch: ArchName,
): string | undefined {
  for (const [service, tag] of Object.entries(compose?.services ?? {})) {
    const built = stack.images.find((image) => image.tag === tag)?.arch;
    if (built !== undefined && !built.includes(arch))
      return `the service "${service}" needs the image "${tag}", which is built for ${built.join(' and ')} and not for ${arch}: add ${arch} to its \`arch:\` in stack.images, or leave ${arch} out with \`arch:\` of the suite`;
  }
  return undefined;
}
