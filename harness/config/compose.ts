import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { ArchName } from '../arch/index.ts';
import { didYouMean, expectedOneOf } from './nearest.ts';
import { quote } from './quote.ts';
import type { SuiteConfig } from './suite-schema.ts';
import { readYaml } from './yaml.ts';
import type { Problem } from './yaml-source.ts';

/** A suite's Compose file, as far as the harness has to know it. */
export interface ComposeStack {
  /** On the controller, absolute. */
  readonly file: string;
  /** What it says: a snapshot belongs to one text. */
  readonly content: string;
  /** The image of each service. */
  readonly services: Readonly<Record<string, string>>;
}

const merged = z.looseObject({ image: z.string().optional() });

/** Only which image each service runs: the rest is for whoever deploys the file. `<<` is what YAML merges in. */
const composeSchema = z.looseObject({
  services: z
    .record(
      z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'expected the name of a service'),
      z.looseObject({ image: z.string().optional(), '<<': z.union([merged, z.array(merged)]).optional() }),
    )
    .refine((services) => Object.keys(services).length > 0, 'expected at least one service'),
});

/**
 * Reads a suite's Compose file and checks that its images are among those that the suite builds: there is no registry
 * to pull others from.
 * @throws ConfigError with every service whose image there is not, at its place in the file.
 */
export async function loadCompose(suite: SuiteConfig, folder: string, cwd: string): Promise<ComposeStack | undefined> {
  const { compose, images } = suite.stack;
  if (compose === undefined) return undefined;
  const file = join(folder, compose);
  const { data, source } = await readYaml(file, composeSchema, cwd);
  const tags = images.map(({ tag }) => tag);
  const services: Record<string, string> = {};
  const problems: Problem[] = [];
  for (const [name, service] of Object.entries(data.services)) {
    const image = service.image ?? [service['<<'] ?? []].flat().find((part) => part.image !== undefined)?.image;
    const path = ['services', name, ...(service.image === undefined ? [] : ['image'])];
    if (image === undefined) {
      const text = `the service ${quote(name)} names no image, expected one that stack.images of suite.yaml builds`;
      problems.push({ path, atKey: true, text });
    } else if (tags.includes(tagged(image))) {
      services[name] = tagged(image);
    } else {
      const text = `the service ${quote(name)} runs the image ${quote(image)}, which stack.images of suite.yaml does not build, ${expectedOneOf(tags)}${didYouMean(image, tags)}`;
      problems.push({ path, text });
    }
  }
  if (problems.length > 0) throw source.error(problems);
  return { file, content: await readFile(file, 'utf8'), services };
}

/** Whether a suite's stack is in containers. */
export function usesEngine({ stack }: { readonly stack: Pick<SuiteConfig['stack'], 'images' | 'compose'> }): boolean {
  return stack.compose !== undefined || stack.images.length > 0;
}

/** Docker's name of an image that is written without a tag. */
function tagged(image: string): string {
  return /:[^/]*$/.test(image) ? image : `${image}:latest`;
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
