import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { type ArchName, architectures } from '../../arch/index.ts';
import { EmulatorError, InfraError } from '../../base/errors.ts';
import { identify, run, start } from '../../base/process.ts';
import { lastLines } from '../../base/text.ts';
import { withDeadline } from '../../base/time.ts';
import type { TargetFacts } from '../../events/types.ts';
import { closeSsh } from '../ssh-connection.ts';
import type { Availability, Io, Target, TargetProvider, TargetSpec } from '../target.ts';
import { cachedTrialKernel, chooseAccelerator } from './accelerator.ts';
import { qemuArguments } from './arguments.ts';
import { consoleTail, fatalMeaning, followConsole } from './console.ts';
import { connectWhenListening, reconnectVm, useMachine, type VmHandle } from './machine.ts';
import { openQmp, type QmpEvent } from './qmp.ts';
import { makeSeed } from './seed.ts';

/** A machine's image, beside what every kind of target is asked for. */
export interface VmSpec extends TargetSpec {
  readonly image: { readonly key: string; readonly kernel: string; readonly initrd: string; readonly disk: string };
  readonly network: boolean;
  /** Milliseconds for booting until commands are answered. */
  readonly bootDeadlineMs: number;
}

/** Guest-initiated resets before the first answer that make a boot loop. */
const BOOT_LOOP = 3;

/** QEMU machines: emulated, or with KVM where that works. */
export function vmProvider(cache: string): TargetProvider<VmSpec> {
  return {
    kind: 'vm',
    probe: (arch) => probe(arch, cache),
    acquire: (spec, io) => acquire(spec, io, cache),
    reconnect: reconnectVm,
  };
}

async function probe(name: ArchName, cache: string): Promise<Availability> {
  const arch = architectures[name];
  const version = await qemuVersion(arch.qemu.binary);
  if (version === undefined) {
    return {
      state: 'missing',
      what: `${arch.qemu.binary} (package ${arch.qemu.package})`,
      install: `apt-get install -y --no-install-recommends ${arch.qemu.package}`,
    };
  }
  const choice = await chooseAccelerator(arch, await cachedTrialKernel(arch, cache), cache);
  return { state: 'usable', accelerator: choice.accelerator, detail: `QEMU ${version}, ${choice.why}` };
}

async function qemuVersion(binary: string): Promise<string | undefined> {
  const result = await execa(binary, ['--version'], { reject: false, stdin: 'ignore' });
  return /version (\S+)/.exec(result.stdout ?? '')?.[1];
}

async function acquire(spec: VmSpec, io: Io, cache: string): Promise<Target> {
  const { arch, image } = spec;
  const { accelerator } = await chooseAccelerator(arch, image, cache);
  const timed = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const started = performance.now();
    const result = await work();
    io.phase({ name, durationMs: Math.round(performance.now() - started) });
    return result;
  };
  const overlay = join(io.folder, 'overlay.qcow2');
  const consoleFile = join(io.folder, 'console.log');
  await io.register({ kind: 'path', path: io.runtimeFolder });
  await io.register({ kind: 'path', path: overlay });
  const [seed] = await timed('keys and overlay', () =>
    Promise.all([
      makeSeed(io.runtimeFolder, image.initrd, spec.hostname),
      run(['qemu-img', 'create', '-q', '-f', 'qcow2', '-b', image.disk, '-F', 'qcow2', overlay], {
        purpose: 'make the copy-on-write disk',
      }),
      writeFile(consoleFile, ''),
    ]),
  );
  const sockets = {
    qmp: join(io.runtimeFolder, 'qmp'),
    control: join(io.runtimeFolder, 'ctl'),
    ssh: join(io.runtimeFolder, 'ssh'),
  };
  const argv = qemuArguments({
    arch,
    accelerator,
    vcpus: spec.vcpus,
    memoryBytes: spec.memoryBytes,
    kernel: image.kernel,
    initrd: seed.initrd,
    disk: overlay,
    consoleFile,
    qmpSocket: sockets.qmp,
    controlSocket: sockets.control,
    ports: [...new Set([22, ...spec.ports])],
    network: spec.network,
  });
  const log = join(io.folder, 'qemu.log');
  await writeFile(join(io.folder, 'qemu-command.json'), `${JSON.stringify(argv, null, 1)}\n`);
  const qemu = start(argv, { logFile: log, outlive: io.keep });
  const identity = qemu.pid === undefined ? undefined : identify(qemu.pid);
  if (!identity) throw new InfraError(`cannot start ${arch.qemu.binary}: ${(await qemu.ended).error?.message}`);
  await io.register({ kind: 'process', ...identity, what: `${arch.qemu.binary} of ${spec.cell}` });

  const watch = new AbortController();
  const { promise: died, resolve: die } = Promise.withResolvers<Error>();
  let expected = false;
  let resets = 0;
  const fate = async (message: string, type: typeof InfraError | typeof EmulatorError = InfraError) => {
    const said = lastLines(await readFile(log, 'utf8').catch(() => ''), 5);
    die(
      new type(message, {
        consoleTail: await consoleTail(consoleFile, 50),
        ...(said.length > 0 ? { cause: said.join('\n') } : {}),
      }),
    );
  };
  const onEvent = ({ event, data }: QmpEvent) => {
    if (expected) return;
    if (event === 'BLOCK_IO_ERROR' && data['nospace'] === true)
      fate('cannot go on with the guest: the disk of this host is full');
    if (event === 'SHUTDOWN') fate('cannot go on with the guest: it switched itself off');
    if (event === 'RESET' && data['guest'] === true) {
      resets += 1;
      if (resets === BOOT_LOOP) fate(`cannot boot the guest: it restarted itself ${BOOT_LOOP} times (a boot loop)`);
    }
  };
  void qemu.ended.then(({ exitCode, signal }) => {
    if (expected) return;
    const crashed =
      signal === 'SIGSEGV' ||
      signal === 'SIGABRT' ||
      signal === 'SIGBUS' ||
      signal === 'SIGILL' ||
      (exitCode ?? 0) !== 0;
    const how = signal ? `it was ended by ${signal}` : `it exited with ${exitCode ?? 'an error'}`;
    return fate(`cannot go on with the guest: QEMU is gone, ${how}`, crashed ? EmulatorError : InfraError);
  });
  void (async () => {
    for await (const line of followConsole(consoleFile, watch.signal)) {
      const meaning = fatalMeaning(line);
      if (meaning !== undefined && !expected) return fate(`cannot go on with the guest: ${meaning}`);
    }
  })();
  const release = async () => {
    expected = true;
    watch.abort();
    // A throw-away machine is killed, not shut down politely. setpriv has become QEMU: the pid is the same.
    qemu.kill('SIGKILL');
    await qemu.ended;
    await closeSsh(address());
    await rm(overlay, { force: true });
    await rm(io.runtimeFolder, { recursive: true, force: true });
  };
  let sshPort = 0;
  const address = () => ({
    host: '127.0.0.1',
    port: sshPort,
    user: 'root',
    keyFile: seed.keyFile,
    knownHosts: join(io.runtimeFolder, 'known_hosts'),
    socket: sockets.ssh,
  });

  try {
    const alive = <T>(work: Promise<T>): Promise<T> =>
      Promise.race([
        work,
        died.then((error) => {
          throw error;
        }),
      ]);
    const qmp = await alive(openQmp(sockets.qmp, { deadlineMs: 10_000, onEvent, signal: io.signal }));
    const usernet = await qmp.execute<string>('human-monitor-command', { 'command-line': 'info usernet' });
    const ports = forwardedPorts(usernet);
    sshPort = ports['22'] ?? 0;
    await writeFile(join(io.runtimeFolder, 'known_hosts'), `[127.0.0.1]:${sshPort} ${seed.hostKey}\n`, { mode: 0o600 });
    const version = await qemuVersion(arch.qemu.binary);
    const facts: TargetFacts = {
      arch: arch.name,
      kind: 'vm',
      accelerator,
      cpu: accelerator === 'kvm' ? 'host' : arch.qemu.cpu,
      machine: accelerator === 'kvm' ? arch.qemu.kvmMachine : arch.qemu.machine,
      vcpus: spec.vcpus,
      memoryBytes: spec.memoryBytes,
      emulator: `QEMU ${version}`,
      image: image.key,
    };
    const handle: VmHandle = {
      kind: 'vm',
      ...identity,
      ssh: address(),
      ports,
      consoleFile,
      controlSocket: sockets.control,
      facts,
      bootDeadlineMs: spec.bootDeadlineMs,
    };
    await writeFile(join(io.folder, 'target.json'), `${JSON.stringify(handle, null, 1)}\n`, { mode: 0o600 });
    await timed('boot to SSH', () =>
      withDeadline(alive(connectWhenListening(handle, 0, io.signal, io.progress)), spec.bootDeadlineMs, async () => {
        return new InfraError(`cannot boot the guest: no SSH after ${Math.round(spec.bootDeadlineMs / 1000)} s`, {
          consoleTail: await consoleTail(consoleFile, 50),
        });
      }),
    );
    const kernel = (
      await useMachine(handle, died).exec(['uname', '-r'], { deadlineMs: spec.bootDeadlineMs })
    ).stdout.trim();
    resets = Number.NEGATIVE_INFINITY; // from here on a suite may restart its guest
    const leave = () => {
      expected = true;
      watch.abort();
      qmp[Symbol.dispose]();
      qemu.unref();
    };
    return { ...useMachine({ ...handle, facts: { ...facts, kernel } }, died), leave, [Symbol.asyncDispose]: release };
  } catch (error) {
    await release();
    throw error;
  }
}

/** Reads `info usernet`: which port of 127.0.0.1 QEMU was given for each forwarded one. */
export function forwardedPorts(text: string): Record<string, number> {
  const ports: Record<string, number> = {};
  for (const [, local, guest] of text.matchAll(/TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)\s+\S+\s+(\d+)/g))
    ports[guest!] = Number(local);
  return ports;
}
