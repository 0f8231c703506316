import { readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { ConfigError, messageOf } from '../base/errors.ts';
import { askCompose, type ComposeModel } from '../stacks/compose/model.ts';
import { composeProgram, NO_COMPOSE } from '../stacks/compose/program.ts';
import { tagged } from '../stacks/compose/stack.ts';
import { shownPath } from '../yaml/yaml-source.ts';
import { matrixTemplate, schemaLine, type Template } from './templates.ts';

/** An entry of stack.images, beside its tag. */
interface Known {
  readonly packages: readonly string[];
  readonly files?: readonly { readonly path: string; readonly content: string }[];
  readonly command: readonly string[];
}

/** nginx's own image serves this folder; Debian's package makes its first site in a maintainer script, which does not run. */
const NGINX_SITE = 'server {\n  listen 80 default_server;\n  root /usr/share/nginx/html;\n}\n';

/**
 * How to build an image of a well-known name here: Debian's packages, and the command of the original image. Programs
 * that look up users use Debian's from base-passwd.
 */
const KNOWN: Readonly<Record<string, Known>> = {
  nginx: {
    packages: ['nginx-light', 'base-passwd'],
    files: [{ path: '/etc/nginx/conf.d/default.conf', content: NGINX_SITE }],
    command: ['/usr/sbin/nginx', '-g', 'daemon off;'],
  },
  redis: { packages: ['redis-server'], command: ['redis-server', '--bind', '0.0.0.0', '--protected-mode', 'no'] },
  memcached: { packages: ['memcached', 'base-passwd'], command: ['memcached', '-u', 'root'] },
  busybox: { packages: ['busybox-static'], command: ['/bin/busybox', 'sh'] },
  python: { packages: ['python3-minimal'], command: ['/usr/bin/python3'] },
  node: { packages: ['nodejs'], command: ['/usr/bin/node'] },
};

/** The files of `harness init --compose`, and the images to be filled in. */
export interface ComposeStarter {
  readonly templates: readonly Template[];
  readonly unknown: readonly string[];
}

/**
 * A suite that deploys a Compose file as it is. There is no registry, so its images are built from Debian's packages: those of
 * well-known names are proposed, the others are to be filled in.
 * @throws ConfigError if Compose is missing or refuses the file, or a service names no image.
 */
export async function composeStarter(file: string, cwd: string): Promise<ComposeStarter> {
  const place = resolve(cwd, file);
  const text = await readFile(place, 'utf8').catch((cause: unknown) => {
    throw new ConfigError(`cannot read ${file}: ${messageOf(cause)}`, { cause });
  });
  const program = await composeProgram();
  if (!program) throw new ConfigError(`cannot read ${file}: ${NO_COMPOSE.why}`, { hint: NO_COMPOSE.hint });
  const model = await askCompose(program, [place], {
    folder: dirname(place),
    project: 'stack',
    shown: shownPath(place, cwd),
  });
  const built = Object.entries(model.services).flatMap(([name, { image }]) => (image ? [] : [name]));
  if (built.length > 0)
    throw new ConfigError(
      `cannot start from ${file}: ${built.join(', ')} ${built.length === 1 ? 'names' : 'name'} no image`,
      {
        hint: 'Images that Compose would build are built by stack.images here: give each service an `image:`.',
      },
    );
  const tags = [
    ...new Set(Object.values(model.services).flatMap(({ image }) => (image ? [tagged(image)] : []))),
  ].sort();
  if (tags.length === 0) throw new ConfigError(`cannot start from ${file}: it has no services`);
  const ports = publishedPorts(model);
  const stack = {
    packages: ['docker.io', 'iptables'],
    services: ['docker'],
    images: tags.map((tag) => ({ tag, ...(KNOWN[nameOf(tag)] ?? { packages: [], command: ['/bin/false'] }) })),
    compose: basename(place),
    ...(ports.length > 0 ? { ports: Object.fromEntries(ports.map((port) => [`p${port}`, port])) } : {}),
    ...(ports.length > 0 ? { ready: ports.map((port) => ({ tcp: `p${port}` })) } : {}),
  };
  const suite = {
    description: `${basename(place)} on each machine.`,
    needs: ['system', 'root', 'docker'],
    machine: { memory: 1024, disk: 4096 },
    stack,
  };
  const unknown = tags.filter((tag) => !(nameOf(tag) in KNOWN));
  return {
    unknown,
    templates: [
      matrixTemplate('stack', 'stack', 'A Compose file on three architectures.'),
      {
        path: join('suites', 'stack', 'suite.yaml'),
        text: `${schemaLine('suite')}\n# Images are built from Debian's packages, because there is no registry: see that they are what yours are.\n${stringify(suite)}`,
      },
      { path: join('suites', 'stack', basename(place)), text },
      { path: join('suites', 'stack', 'stack.scenario.ts'), text: scenario(Object.keys(model.services)) },
    ],
  };
}

/** `nginx` of `nginx:1.25-alpine`, and of `registry.example.org/team/nginx:1`. */
function nameOf(tag: string): string {
  return /([^/:]+):[^/]*$/.exec(tag)?.[1] ?? tag;
}

/** Ports of the machine that services publish, by Compose 1 (`8080:80/tcp`) and 2 (`{ published: "8080" }`). */
function publishedPorts({ services }: ComposeModel): number[] {
  const all = Object.values(services).flatMap((service) => {
    const ports: unknown = service['ports'];
    return Array.isArray(ports) ? (ports as unknown[]) : [];
  });
  const published = all.map((port) =>
    typeof port === 'string'
      ? /(\d+):\d+(?:\/tcp)?$/.exec(port)?.[1]
      : String((port as { published?: unknown } | null)?.published ?? ''),
  );
  return [...new Set(published.filter((port) => /^\d+$/.test(port ?? '')).map(Number))].sort((a, b) => a - b);
}

function scenario(services: readonly string[]): string {
  return `import { expect, test } from 'multiarch-harness';

test.for(${JSON.stringify(services)})('the service %s is up', async (service, { stack }) => {
  expect(await stack.compose(['ps', '--quiet', service])).not.toBe('');
});
`;
}
