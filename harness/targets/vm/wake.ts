import { randomBytes } from 'node:crypto';
import { InfraError } from '../../base/errors.ts';
import type { Agent } from './agent.ts';
import type { Seed } from './seed.ts';

/** Most that a resumed guest's clock may be off, in milliseconds. */
const CLOCK_MS = 1000;

/**
 * Makes a machine that was resumed from a snapshot one of its own, before anybody uses it: fresh entropy, this run's
 * keys, name and machine id, this host's time. The guest has seen a timer go off afterwards: on some machines a resumed
 * guest answers, and its timers never do.
 * @returns how far its clock is off, in milliseconds.
 * @throws InfraError when it does not answer in time, or its clock does not follow.
 */
export async function wakeMachine(agent: Agent, seed: Seed, deadlineMs: number): Promise<number> {
  const files = Object.entries(seed.files).map(([path, { mode, content }]) => {
    return `['${path}', ${mode}, '${Buffer.from(content).toString('hex')}']`;
  });
  const code = `
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
    print $name '${seed.hostname}'; close $name;
    qx(date -s \\@${(Date.now() / 1000).toFixed(3)}); $? == 0 or die "date: $?";
    Time::HiRes::sleep(0.01);
    sprintf '%.3f', Time::HiRes::time() * 1000;`;
  const sent = Date.now();
  const { exitCode, output } = await agent.ask('perl', code, deadlineMs);
  if (exitCode !== 0) throw new InfraError(`cannot wake the resumed guest: ${output.trim()}`);
  const guest = Number(output);
  // It was read at some time between question and answer.
  const off = guest < sent ? guest - sent : Math.max(0, guest - Date.now());
  const skew = Math.abs(off) < 1 ? 0 : off;
  if (Math.abs(skew) > CLOCK_MS)
    throw new InfraError(`cannot use the resumed guest: its clock is off by ${Math.round(skew)} ms`);
  return skew;
}
