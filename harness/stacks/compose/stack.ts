import { join } from 'node:path';
import { ConfigError } from '../../base/errors.ts';
import { didYouMean, expectedOneOf } from '../../base/nearest.ts';
import { quote } from '../../base/quote.ts';
import type { SuiteConfig } from '../../config/schema/suite.ts';
import { openYaml, type Problem, shownPath } from '../../yaml/yaml-source.ts';
import { askCompose, onMachine } from './model.ts';
import { composeProgram } from './program.ts';

/** A suite's Compose files, as Compose itself understands them. */
export interface ComposeStack {
  /** The first of them, on the controller, absolute. */
  readonly file: string;
  /** JSON, which is valid YAML: the deployed file. Everything in it is resolved, and paths are those of the machine. */
  readonly content: string;
  /** The image of each service that is started. */
  readonly services: Readonly<Record<string, string>>;
}

/** Path on the machine for a Compose file's paths that begin with `../../config/`. */
export function projectFolder(suite: string): string {
  return `/srv/${suite}`;
}

/** The project of a suite's services, which is in the names and labels of its containers. */
export function projectName(suite: string): string {
  return suite.replaceAll('.', '-');
}

/**
 * Resolves a suite's files with Compose, and checks that it builds all of their images: there is no registry to pull
 * others from.
 * @param name the suite's.
 * @returns without services if this host has no Compose.
 * @throws ConfigError in Compose's words if it refuses them; and for every service with an unknown image.
 */
export async function loadCompose(
  suite: SuiteConfig,
  { name, folder, cwd }: { readonly name: string; readonly folder: string; readonly cwd: string },
): Promise<ComposeStack> {
  const { compose = [], images } = suite.stack;
  const files = compose.map((file) => join(folder, file));
  const [file] = files as [string];
  const program = await composeProgram();
  // Expanding a matrix needs no Compose; deploying reports that it is missing.
  if (program === undefined) return { file, content: '', services: {} };
  const shown = files.map((one) => shownPath(one, cwd)).join(' and ');
  const model = await askCompose(program, files, { folder, project: projectName(name), shown });
  const tags = images.map(({ tag }) => tag);
  const services: Record<string, string> = {};
  const problems: Problem[] = [];
  // Compose 1 also lists services that are not started.
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

/** An image by Docker's short name of it, with a tag. */
export function tagged(image: string): string {
  const short = image.replace(/^(?:index\.)?docker\.io\/(?:library\/)?/, '');
  return /:[^/]*$/.test(short) ? short : `${short}:latest`;
}
