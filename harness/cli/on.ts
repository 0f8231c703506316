import { ConfigError } from '../base/errors.ts';
import { didYouMean, expectedOneOf } from '../base/nearest.ts';
import { quote } from '../base/quote.ts';
import { loadInventory } from '../config/load/machines.ts';
import type { Project } from '../config/load/project.ts';
import type { EngineConfig } from '../config/schema/engines.ts';
import type { On } from '../fleet/run.ts';

/** An engine of the project's inventory. @throws ConfigError where it has none of that name, or a mistake. */
export async function engineNamed(
  project: Project,
  name: string,
  options: { readonly machines?: string } = {},
): Promise<EngineConfig> {
  const inventory = await loadInventory(project, { file: options.machines });
  if (inventory.problems.engines) throw inventory.problems.engines;
  const config = inventory.engines[name];
  if (config) return config;
  const names = Object.keys(inventory.engines);
  if (names.length === 0)
    throw new ConfigError(`unknown engine ${quote(name)}: ${inventory.name} has no \`engines:\``, {
      hint: 'docs/fleet.md shows what an engine looks like there.',
    });
  throw new ConfigError(`unknown engine ${quote(name)}, ${expectedOneOf(names)}${didYouMean(name, names)}`);
}

interface OnFlags {
  readonly on?: string;
  readonly detach?: boolean;
  readonly machines?: string;
}

/** The engine that a command line names; undefined: cells run here. */
export async function onOf(project: Project, { on, detach, ...options }: OnFlags): Promise<On | undefined> {
  if (on === undefined) return undefined;
  return { name: on, config: await engineNamed(project, on, options), detach: detach === true };
}

/** Options that mean this machine, or somebody who sits at it. */
const HERE = ['keep', 'pause', 'pauseMinutes', 'jobs', 'into', 'preferImages'] as const;

/** @throws ConfigError for options that do not go together with an engine, or without one. */
export function mustNotBeWith(options: OnFlags & Readonly<Partial<Record<(typeof HERE)[number], unknown>>>): void {
  if (options.on === undefined) {
    if (options.detach) throw new ConfigError('--detach leaves cells to an engine, and --on names none');
    return;
  }
  const other = HERE.find((name) => options[name] !== undefined);
  if (other === undefined) return;
  const flag = `--${other.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new ConfigError(`${flag} is for cells that run on this machine, and --on has them run elsewhere`);
}
