import { access, constants, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Arch, Firmware } from '../../arch/index.ts';
import { EmulatorError, InfraError } from '../../base/errors.ts';
import { failAfter } from '../../base/fail-after.ts';
import { run } from '../../base/process.ts';
import { withDeadline } from '../../base/time.ts';
import type { BlankMachine, BlankSpec, BootSource } from '../blank.ts';
import { consoleTail } from '../shared/console.ts';
import type { Availability, Io } from '../target.ts';
import { blankArguments, DISK, NIC } from './blank-arguments.ts';
import { endOf, type Launched, launchQemu } from './launch.ts';
import { openQmp, type Qmp, type QmpEvent } from './qmp.ts';

/** Milliseconds in which QEMU has reset a machine, which takes it a few. */
const RESET_MS = 30_000;

/** Where a machine keeps what it has. */
interface Place {
  readonly disk: string;
  readonly variables: string;
  readonly consoleFile: string;
  readonly qmpSocket: string;
  readonly runtimeFolder: string;
}

/** A QEMU that stands for a machine between two renewals. */
interface Life {
  readonly qmp: Qmp;
  /** Resolves at the next reset. */
  nextReset(): Promise<void>;
  end(): Promise<void>;
  leave(): void;
}

/** Whether the files of a firmware are here. */
export async function probeFirmware(
  { name, qemu }: Arch,
  firmware: Firmware,
  usable: Availability,
): Promise<Availability> {
  if (usable.state !== 'usable' || firmware.kind !== 'flash') return usable;
  for (const file of [firmware.code, firmware.variables])
    if (
      !(await access(file, constants.R_OK).then(
        () => true,
        () => false,
      ))
    )
      return {
        state: 'missing',
        what: `${file} (package ${firmware.package}), the firmware of blank ${name} machines of ${qemu.binary},`,
        install: `apt-get install -y --no-install-recommends ${firmware.package}`,
      };
  return usable;
}

/** Makes a blank machine, switched off. */
export async function makeBlank(
  spec: BlankSpec,
  { accelerator }: { readonly accelerator: 'kvm' | 'tcg' },
  io: Io,
): Promise<BlankMachine> {
  const runtimeFolder = await io.makeRuntimeFolder();
  const place: Place = {
    disk: join(io.folder, 'disk.qcow2'),
    variables: join(io.folder, 'firmware-variables.fd'),
    consoleFile: join(io.folder, 'console.log'),
    qmpSocket: join(runtimeFolder, 'qmp'),
    runtimeFolder,
  };
  for (const path of [place.disk, place.variables]) await io.register({ kind: 'path', path });
  const release = async () => {
    for (const path of [place.disk, place.variables, runtimeFolder]) await rm(path, { recursive: true, force: true });
  };
  const { promise: died, resolve: die } = Promise.withResolvers<Error>();
  let usual: BootSource = 'network';
  let once: BootSource | undefined;
  let order = bootOrder();
  const begin = async () => {
    await emptyDisk(spec, place);
    [usual, once, order] = ['network', undefined, bootOrder()];
    return start(spec, accelerator, { place, io, die, restarted: () => void (once && serial(settle)) });
  };
  let life: Life;
  /** The boot source that counted once has been used: from the next start on the usual one counts again. */
  const settle = async () => {
    once = undefined;
    await order.put(life.qmp, usual);
  };
  const serial = inTurn();
  const restart = async () => {
    const reset = life.nextReset();
    await life.qmp.execute('system_reset');
    const late = () => new InfraError(`cannot reset ${spec.name}: QEMU does not do it`);
    await withDeadline(reset, RESET_MS, late);
    await life.qmp.execute('cont');
    if (once) await settle();
  };
  const isRunning = async () => (await life.qmp.execute<{ running: boolean }>('query-status')).running;
  try {
    life = await begin();
  } catch (error) {
    return failAfter(error, release);
  }
  return {
    name: spec.name,
    mac: spec.lan.mac,
    died,
    power: async () => ((await isRunning()) ? 'on' : 'off'),
    on: () => serial(async () => void ((await isRunning()) || (await restart()))),
    off: () => serial(async () => void (await life.qmp.execute('stop'))),
    reset: () =>
      serial(async () => {
        if (!(await isRunning())) throw new InfraError(`cannot reset ${spec.name}: it is off`);
        await restart();
      }),
    nextBoot: (from, onlyOnce = false) =>
      serial(async () => {
        if (onlyOnce) once = from;
        else [usual, once] = [from, undefined];
        await order.put(life.qmp, from);
      }),
    bootsOnceFrom: () => once,
    consoleTail: (lines = 50) => consoleTail(place.consoleFile, lines),
    renew: () =>
      serial(async () => {
        await life.end();
        life = await begin();
      }),
    leave: () => life.leave(),
    async [Symbol.asyncDispose]() {
      // What waits for an answer of it fails then, and whatever has begun meanwhile is ended as well.
      await life.end();
      await serial(() => life.end());
      await release();
    },
  };
}

/** Runs pieces of work one after the other, each whatever came of those before it. */
function inTurn(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => {});
    return mine;
  };
}

/** Which device comes first. No two may ever have one place, nor one its own again, so whichever goes first gets a new one. */
function bootOrder() {
  let first: BootSource = 'network';
  let index: number = NIC.bootindex;
  return {
    async put(qmp: Qmp, from: BootSource): Promise<void> {
      if (from === first) return;
      index -= 1;
      const path = `/machine/peripheral/${from === 'network' ? NIC.id : DISK.id}`;
      await qmp.execute('qom-set', { path, property: 'bootindex', value: index });
      first = from;
    },
  };
}

async function emptyDisk({ firmware, diskBytes }: BlankSpec, { disk, variables, qmpSocket }: Place): Promise<void> {
  await rm(qmpSocket, { force: true });
  await run(['qemu-img', 'create', '-q', '-f', 'qcow2', disk, String(diskBytes)], { purpose: 'make an empty disk' });
  if (firmware.kind === 'flash')
    await run(['cp', '--sparse=always', firmware.variables, variables], { purpose: "copy the firmware's variables" });
}

async function start(
  spec: BlankSpec,
  accelerator: 'kvm' | 'tcg',
  {
    place,
    io,
    die,
    restarted,
  }: { readonly place: Place; readonly io: Io; readonly die: (error: Error) => void; readonly restarted: () => void },
): Promise<Life> {
  const launched = await launchQemu(
    blankArguments({ ...spec, ...place, accelerator }),
    `${spec.name} of ${spec.cell}`,
    io,
  );
  const { child } = launched;
  let expected = false;
  const resets: (() => void)[] = [];
  const fate = async (why: string, type: typeof InfraError | typeof EmulatorError) => {
    const said = await launched.said();
    die(
      new type(`cannot go on with ${spec.name}: ${why}`, {
        consoleTail: await consoleTail(place.consoleFile, 50),
        ...(said.length > 0 ? { cause: said.join('\n') } : {}),
      }),
    );
  };
  void child.ended.then((ended) => {
    if (expected) return;
    const { how, crashed } = endOf(ended);
    return fate(`QEMU is gone, ${how}`, crashed ? EmulatorError : InfraError);
  });
  const onEvent = ({ event, data }: QmpEvent) => {
    if (event === 'RESET') {
      for (const told of resets.splice(0)) told();
      if (data['guest'] === true) restarted();
    }
    if (event === 'BLOCK_IO_ERROR' && data['nospace'] === true && !expected)
      void fate('the disk of this host is full', InfraError);
  };
  const end = async () => {
    expected = true;
    child.kill('SIGKILL');
    await child.ended;
  };
  try {
    const qmp = await openQmp(place.qmpSocket, { deadlineMs: 10_000, onEvent, signal: io.signal });
    return {
      qmp,
      nextReset: () => new Promise((resolve) => void resets.push(resolve)),
      end,
      leave() {
        expected = true;
        qmp[Symbol.dispose]();
        child.unref();
      },
    };
  } catch (cause) {
    const said = await endedBy(end, launched);
    if (io.signal.aborted || said === '') throw cause;
    throw new EmulatorError(`cannot make the blank machine ${spec.name}: QEMU did not start`, { cause: said });
  }
}

/** What a QEMU printed that is to end now. */
async function endedBy(end: () => Promise<void>, { said }: Launched): Promise<string> {
  await end();
  return (await said()).join('\n');
}
