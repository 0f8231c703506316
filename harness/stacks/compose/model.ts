import { execa } from 'execa';
import { parse, type ScalarTag, type SchemaOptions } from 'yaml';
import { z } from 'zod';
import { ConfigError } from '../../base/errors.ts';
import { dieWithParent } from '../../base/process.ts';
import { type ComposeProgram, composeEnvironment } from './program.ts';
import { refusalOf } from './refusal.ts';

/** Milliseconds for Compose to read some files. */
const CONFIG_MS = 60_000;

/** The part of Compose's answer that is read; everything else is passed on. */
const modelSchema = z.looseObject({
  services: z.record(
    z.string(),
    z.looseObject({
      image: z.string().optional(),
      profiles: z.array(z.string()).optional(),
      volumes: z.array(z.union([z.string(), z.looseObject({ source: z.string().optional() })])).optional(),
    }),
  ),
  configs: z.record(z.string(), z.looseObject({ file: z.string().optional() })).optional(),
  secrets: z.record(z.string(), z.looseObject({ file: z.string().optional() })).optional(),
});

/** A Compose project as Compose itself understands it: merged, interpolated, extended, with absolute paths. */
export type ComposeModel = z.output<typeof modelSchema>;

/**
 * Resolves Compose files with Compose; no engine is involved. Variables come from a `.env` in the folder, and paths are
 * relative to the folder.
 * @throws ConfigError in Compose's own words if it refuses them.
 */
export async function askCompose(
  program: ComposeProgram,
  files: readonly string[],
  { folder, project, shown }: { readonly folder: string; readonly project: string; readonly shown: string },
): Promise<ComposeModel> {
  const old = program.version.startsWith('1.');
  const argv = dieWithParent([
    ...[...program.argv, '--project-name', project, '--project-directory', folder],
    ...files.flatMap((file) => ['--file', file]),
    ...['config', ...(old ? [] : ['--format', 'json'])],
  ]);
  const result = await execa(argv[0]!, argv.slice(1), {
    stdin: 'ignore',
    reject: false,
    timeout: CONFIG_MS,
    extendEnv: false,
    env: composeEnvironment(),
  });
  if (result.failed) {
    const said = refusalOf(result.stderr) || result.shortMessage;
    throw new ConfigError(`cannot read ${shown}: Compose ${program.version} refuses it:\n${said}`, {
      hint: old
        ? 'Compose 1 does not know `include`, `!reset` and other things of Compose 2, which Debian has from 13 on.'
        : `See for yourself: ${[...program.argv, ...files.flatMap((file) => ['--file', file]), 'config'].join(' ')}`,
    });
  }
  const answer: unknown = old ? parse(result.stdout, PYYAML) : JSON.parse(result.stdout);
  const model = modelSchema.safeParse(answer);
  if (!model.success)
    throw new ConfigError(`cannot read ${shown}: Compose's answer is not understood: ${z.prettifyError(model.error)}`);
  return model.data;
}

/** Rewrites paths in a folder of this host to a folder on a machine, which is where bind mounts are. */
export function onMachine(model: ComposeModel, folder: string, there: string): ComposeModel {
  const moved = (path: string) =>
    path === folder || path.startsWith(`${folder}/`) || path.startsWith(`${folder}:`)
      ? `${there}${path.slice(folder.length)}`
      : path;
  const files = (list: ComposeModel['configs']) =>
    list &&
    Object.fromEntries(
      Object.entries(list).map(([name, entry]) => [
        name,
        entry.file === undefined ? entry : { ...entry, file: moved(entry.file) },
      ]),
    );
  const services = Object.entries(model.services).map(([name, service]) => {
    const volumes = service.volumes?.map((volume) => {
      if (typeof volume === 'string') return moved(volume);
      return volume.source === undefined ? volume : { ...volume, source: moved(volume.source) };
    });
    return [name, { ...service, ...(volumes ? { volumes } : {}) }];
  });
  const { configs, secrets } = model;
  return {
    ...model,
    services: Object.fromEntries(services),
    ...(configs ? { configs: files(configs) } : {}),
    ...(secrets ? { secrets: files(secrets) } : {}),
  };
}

const scalar = (tag: string, test: RegExp, resolve: (text: string) => unknown): ScalarTag => ({
  tag: `tag:yaml.org,2002:${tag}`,
  default: true,
  test,
  resolve,
});

/** Compose 1 answers in the YAML of Python's writer: `1e3`, `08` and `y` are text in it unless they are quoted, too. */
const PYYAML = {
  schema: 'failsafe' as const,
  customTags: [
    scalar('null', /^(?:null)?$/, () => null),
    scalar('bool', /^(?:true|false)$/, (text) => text === 'true'),
    scalar('int', /^-?(?:0|[1-9]\d*)$/, Number),
    scalar('float', /^-?\d+\.\d*(?:e[-+]\d+)?$/, Number),
  ],
} satisfies SchemaOptions;
