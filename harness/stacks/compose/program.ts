import { execa } from 'execa';
import { packageName } from '../../setup/system-packages.mjs';

/** Compose on this host. */
export interface ComposeProgram {
  /** argv before its own arguments. */
  readonly argv: readonly string[];
  /** `1.29.2`, `2.26.1`. */
  readonly version: string;
}

/** The next step if there is none. */
export const NO_COMPOSE = {
  why: 'this host has neither docker-compose nor the plug-in `docker compose`',
  hint: `Install it: apt-get install -y --no-install-recommends ${packageName('docker-compose')}`,
} as const;

/** Where distributions put the plug-in, which also runs alone. */
const PLUGINS = ['/usr/libexec', '/usr/lib', '/usr/local/lib'].map((folder) => [
  `${folder}/docker/cli-plugins/docker-compose`,
]);

let found: Promise<ComposeProgram | undefined> | undefined;

/** The standalone program, or Docker's plug-in; undefined if neither exists. Looked up once. */
export function composeProgram(): Promise<ComposeProgram | undefined> {
  found ??= look();
  return found;
}

async function look(): Promise<ComposeProgram | undefined> {
  for (const argv of [['docker-compose'], ['docker', 'compose'], ...PLUGINS]) {
    const asked = await execa(argv[0]!, [...argv.slice(1), 'version', '--short'], { reject: false, stdin: 'ignore' });
    if (asked.exitCode === 0) return { argv, version: asked.stdout.trim().replace(/^v/, '') };
  }
  return undefined;
}

/** The environment for Compose: without the user's own engines, projects and variables. */
export function composeEnvironment(): Record<string, string | undefined> {
  return { PATH: process.env['PATH'], HOME: process.env['HOME'], COMPOSE_ANSI: 'never', LC_ALL: 'C.UTF-8' };
}
