import { randomBytes } from 'node:crypto';
import type { Arch } from '../../arch/types.ts';
import { InfraError } from '../../base/errors.ts';
import type { Agent } from './agent.ts';
import type { Seed } from './seed.ts';

/** Largest error of a guest's clock, in milliseconds. */
const CLOCK_MS = 1000;

/** Target error of the clock, in milliseconds, and the number of attempts: on a busy host it answers late. */
const GOOD_CLOCK_MS = 100;
const CLOCK_ROUNDS = 6;

/**
 * Gives a resumed machine its own identity before anything uses it: fresh entropy, this run's keys, name and machine
 * id, this host's time. Afterwards the guest must see a timer go off: on some machines a resumed guest answers, but its
 * timers never do.
 * @returns how far its clock is off, in milliseconds.
 * @throws InfraError if it does not answer in time, or its clock cannot be set.
 */
export async function wakeMachine(
  agent: Agent,
  seed: Seed,
  arch: Pick<Arch, 'syscalls'>,
  deadlineMs: number,
): Promise<number> {
  const files = Object.entries(seed.files).map(([path, { mode, content }]) => {
    return `['${path}', ${mode}, '${Buffer.from(content).toString('hex')}']`;
  });
  const own = `
    open(my $random, '+<', '/dev/urandom') or die "urandom: $!";
    syswrite($random, pack('H*', '${randomBytes(64).toString('hex')}'));
    # RNDRESEEDCRNG, as most architectures number it and as POWER does.
    defined ioctl($random, 0x5207, 0) or defined ioctl($random, 0x20005207, 0) or die "reseed: $!";
    for (${files.join(', ')}) {
      my ($path, $mode, $content) = @$_;
      open(my $file, '>', "$path.new") or die "$path: $!";
      chmod $mode, $file; print $file pack('H*', $content); close $file or die "$path: $!";
      rename "$path.new", $path or die "$path: $!";
    }
    open(my $name, '>', '/proc/sys/kernel/hostname') or die "hostname: $!";
    print $name '${seed.hostname}'; close $name;`;
  const first = `${own}${clockTo(arch, (Date.now() / 1000).toFixed(3))} Time::HiRes::sleep(0.01);`;
  const off = await setClock(agent, arch, deadlineMs, first);
  const { exitCode, output } = await agent.ask('perl', NEW_HOST_KEY, deadlineMs);
  if (exitCode !== 0) throw new InfraError(`cannot give the guest's SSH server its new key: ${output.trim()}`);
  return off;
}

/**
 * Since OpenSSH 9.8 the server reads its host key once and hands it to the program that serves a connection: it is made
 * to read the new one, and has done so when its pid is in the file again. Before, each connection read it.
 */
const NEW_HOST_KEY = `
    if (-e '/usr/lib/openssh/sshd-session' && open(my $file, '<', '/run/sshd.pid')) {
      chomp(my $pid = <$file>);
      unlink '/run/sshd.pid';
      kill('HUP', $pid) or die "sshd: $!";
      Time::HiRes::sleep(0.01) until -e '/run/sshd.pid';
    }
    '';`;

/**
 * Sets a guest's clock to this host's. A booting machine gets whole seconds from its real-time clock, and loses time on
 * a busy host until it has a better one.
 * @param first code to run before it is looked at for the first time.
 * @returns how far it is off, in milliseconds.
 * @throws InfraError when it does not answer in time, or does not follow.
 */
export async function setClock(
  agent: Agent,
  arch: Pick<Arch, 'syscalls'>,
  deadlineMs: number,
  first = '',
): Promise<number> {
  let off = await ask(first);
  // The required correction does not depend on the time, and every answer narrows it.
  for (let round = 1; round < CLOCK_ROUNDS && Math.max(off.most, -off.least) > GOOD_CLOCK_MS; round++) {
    const move = -(off.least + off.most) / 2;
    const seen = await ask(clockTo(arch, `Time::HiRes::time() + ${(move / 1000).toFixed(4)}`));
    const known = { least: Math.max(off.least + move, seen.least), most: Math.min(off.most + move, seen.most) };
    // The bounds do not meet if this host's clock was set meanwhile.
    off = known.least <= known.most ? known : seen;
  }
  const skew = off.most < -1 ? off.most : Math.max(0, off.least);
  if (Math.abs(skew) > CLOCK_MS)
    throw new InfraError(`cannot use the guest: its clock is off by ${Math.round(skew)} ms`);
  return skew;

  /** Runs the code in the guest. Its clock was read between question and answer. */
  async function ask(code: string): Promise<{ least: number; most: number }> {
    const sent = Date.now();
    const { exitCode, output } = await agent.ask(
      'perl',
      `${code} sprintf '%.3f', Time::HiRes::time() * 1000;`,
      deadlineMs,
    );
    if (exitCode !== 0) throw new InfraError(`cannot set the guest's clock: ${output.trim()}`);
    return { least: Number(output) - Date.now(), most: Number(output) - sent };
  }
}

/** Sets the clock to what an expression says. No program is started for it: on a busy host that takes too long. */
const clockTo = ({ syscalls }: Pick<Arch, 'syscalls'>, to: string) => `
    my $to = ${to};
    syscall(${syscalls.clockSettime}, 0, pack('qq', int($to), ($to - int($to)) * 1e9)) == 0 or die "clock: $!";`;
