import { access, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { styleText } from 'node:util';
import { architectures, archNames, usualArchs } from '../../arch/index.ts';
import { InfraError } from '../../base/errors.ts';
import { cacheFolder } from '../../base/folders.ts';
import { formatBytes } from '../../base/text.ts';
import { bmcOf, type PowerState } from '../../bmc/bmc.ts';
import { loadInventory } from '../../config/load/machines.ts';
import { findProject } from '../../config/load/project.ts';
import { matrixMistakes, projectWarnings } from '../../config/load/project-warnings.ts';
import { emulationOf } from '../../images/binfmt.ts';
import { type NamespaceProblem, namespaceProblem } from '../../images/namespaces.ts';
import { commandsOf, machinesOf } from '../../matrix/machines.ts';
import { providersOf } from '../../matrix/plan.ts';
import { capacityFor, hostCapacity } from '../../run/schedule/capacity.ts';
import { thisDistribution } from '../../setup/distribution.mjs';
import { installLine, missingPackages } from '../../setup/system.mjs';
import { packagesFor } from '../../setup/system-packages.mjs';
import { kinds, targetKinds } from '../../targets/kinds.ts';
import type { KnownMachine } from '../../targets/ssh/machines.ts';
import type { Availability } from '../../targets/target.ts';
import { warn } from '../cells.ts';
import type { CliCommand } from '../command.ts';
import { doctorOn } from './doctor-on.ts';

/** How programs of an architecture run while its images are built. */
async function maintainerScripts(name: keyof typeof architectures): Promise<string> {
  const found = await emulationOf(architectures[name]);
  switch (found.state) {
    case 'native':
      return 'native';
    case 'registered':
      return 'qemu-user, registered';
    case 'registrable':
      return 'qemu-user, registered when first needed';
    case 'missing':
      return `qemu-user is missing: ${found.install}`;
    case 'unregistered':
      return `${found.why}; ${found.hint}`;
  }
}

/** `harness doctor`: usable, missing or impossible, with the accelerator that would really be used. */
async function doctor(options: { readonly json?: boolean; readonly on?: string }): Promise<number> {
  if (options.on !== undefined) return doctorOn(options.on, options);
  const cache = cacheFolder();
  const project = await findProject(process.cwd());
  const inventory = await loadInventory(project);
  warn([
    ...new Set(Object.values(inventory.problems).map(({ message }) => message)),
    ...(await matrixMistakes(project)),
    ...(await projectWarnings(project, new Set())),
  ]);
  const providers = providersOf(inventory);
  const known = { machines: machinesOf(inventory), commands: commandsOf(inventory) };
  const asked = targetKinds.filter((kind) => kinds[kind].doctor(known));
  const targets: { arch: string; target: string; images: string; availability: Availability }[] = [];
  for (const arch of archNames) {
    const images = await maintainerScripts(arch);
    for (const target of asked)
      targets.push({ arch, target, images, availability: await (await providers(target)).probe(arch) });
  }
  const bmcs = await askBmcs(known.machines);
  const packages = packagesFor(false, thisDistribution());
  const path = process.env['PATH'] ?? '';
  const tools = packages.map((one) => ({
    package: one.package,
    programs: one.programs ?? [],
    found: missingPackages({ path, packages: [one] }).length === 0,
  }));
  const namespaces = await namespaceProblem();
  const host = await hostCapacity();
  const capacity = capacityFor(512 * 2 ** 20, 99, host);
  const place = await existing(cache);
  const { bavail, bsize } = await statfs(place);
  const disk = { folder: cache, freeBytes: bavail * bsize };
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ targets, bmcs, tools, namespaces, capacity, disk }, null, 2)}\n`);
  } else {
    print({ targets, bmcs, tools, namespaces, capacity, disk });
  }
  const missing =
    namespaces !== undefined ||
    tools.some((tool) => !tool.found) ||
    targets.every(({ availability }) => availability.state !== 'usable');
  return missing ? 3 : 0;
}

/** What a machine's BMC answers. */
interface AskedBmc {
  readonly machine: string;
  readonly name: string;
  readonly power?: PowerState;
  readonly why?: string;
  readonly hint?: string;
}

/** Asks every BMC for the power of its machine. Commands only switch: they are not asked. */
function askBmcs(machines: readonly KnownMachine[]): Promise<AskedBmc[]> {
  const asked = machines.flatMap(({ name: machine, power }) => {
    const bmc = power && bmcOf(power);
    return bmc?.state ? [{ machine, name: bmc.name, state: bmc.state() }] : [];
  });
  return Promise.all(
    asked.map(async ({ state, ...about }): Promise<AskedBmc> => {
      try {
        return { ...about, power: await state };
      } catch (error) {
        if (!(error instanceof InfraError)) throw error;
        return { ...about, why: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) };
      }
    }),
  );
}

function print(found: {
  targets: { arch: string; target: string; images: string; availability: Availability }[];
  bmcs: readonly AskedBmc[];
  tools: { package: string; programs: readonly string[]; found: boolean }[];
  namespaces: NamespaceProblem | undefined;
  capacity: { jobs: number; reason: string };
  disk: { folder: string; freeBytes: number };
}): void {
  const out = (line: string) => process.stdout.write(`${line}\n`);
  const good = (text: string) => styleText('green', text);
  const bad = (text: string) => styleText('red', text);
  // An architecture outside of the defaults is not reported as missing unless it is named.
  const usual: ReadonlySet<string> = new Set(usualArchs);
  for (const { arch, target, images, availability } of found.targets) {
    const name = `${arch}/${target}`.padEnd(17);
    if (availability.state === 'usable')
      out(`${name} ${good('usable')}      ${availability.accelerator}: ${availability.detail}`);
    else if (availability.state === 'missing')
      out(
        `${name} ${usual.has(arch) ? bad('missing') : 'missing'}     ${availability.what}\n${' '.repeat(18)}install it: ${availability.install}`,
      );
    else if (availability.state === 'impossible') out(`${name} ${bad('impossible')}  ${availability.why}`);
    else if (availability.state === 'broken') out(`${name} ${bad('broken')}      ${availability.why}`);
    out(`${' '.repeat(18)}images: ${images}`);
  }
  for (const { machine, name, power, why, hint } of found.bmcs) {
    const state =
      power === undefined ? `${bad('broken')}      ${why}` : `${good('usable')}      ${name}: it is ${power}`;
    out(`${`power of ${machine}`.padEnd(17)} ${state}${hint === undefined ? '' : `\n${' '.repeat(18)}${hint}`}`);
  }
  const missing = found.tools.flatMap((tool) => (tool.found ? [] : [tool.package]));
  if (missing.length === 0) out(`packages          ${good('usable')}      all ${found.tools.length} are there`);
  else {
    out(`packages          ${bad('missing')}     ${missing.join(', ')}`);
    out(`${' '.repeat(18)}install all: ${installLine(missing, process.getuid?.() === 0)}`);
  }
  if (found.namespaces)
    out(
      `namespaces        ${bad('missing')}     images cannot be built without being root: ${found.namespaces.why}\n${' '.repeat(18)}${found.namespaces.hint}`,
    );
  out(`guests            ${found.capacity.jobs} of 512 MiB at once: ${found.capacity.reason}`);
  out(`cache             ${found.disk.folder}: ${formatBytes(found.disk.freeBytes)} free`);
  out(
    'untrusted         an emulator is not a security boundary: run untrusted suites on a machine that you can throw away',
  );
}

/** The closest existing parent folder. */
async function existing(folder: string): Promise<string> {
  return access(folder).then(
    () => folder,
    () => existing(dirname(folder)),
  );
}

export const doctorCommand: CliCommand = {
  name: 'doctor',
  declare: (command) =>
    command
      .description('show what works on this machine, what is missing and how to install it')
      .option('--on <engine>', 'instead: what works on the nodes of an engine, by one job for each architecture')
      .option('--json', 'print one JSON document on stdout'),
  act: doctor,
};
