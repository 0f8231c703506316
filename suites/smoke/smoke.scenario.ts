import { deadlineMs, describe, expect, test } from 'multiarch-harness';

const MIB = 2 ** 20;

describe('processor', () => {
  test('uname names the architecture', async ({ target }) => {
    expect(await target.sh('uname -m')).toBe(target.arch.machine);
  });

  test('byte order', async ({ target }) => {
    // The first byte of the number 1: perl-base is in every Debian, lscpu is not.
    const first = await target.sh("perl -e 'print unpack q(C), pack q(L), 1'");
    expect(first === '1' ? 'little' : 'big').toBe(target.arch.endianness);
  });

  test('page size', async ({ target }) => {
    expect(target.arch.pageSizes).toContain(Number(await target.sh('getconf PAGESIZE')));
  });

  test('the pinned CPU model', async ({ target, skip }) => {
    // Elsewhere the model is the host's, and nothing is known about it.
    skip(target.facts.accelerator !== 'tcg', `the accelerator is ${target.facts.accelerator}`);
    expect(await target.read('/proc/cpuinfo')).toMatch(target.arch.qemu.cpuinfo);
  });

  test('as many CPUs as asked for', async ({ target }) => {
    expect(Number(await target.sh('nproc'))).toBe(target.facts.vcpus);
  });
});

describe('time', () => {
  test('the clock is right', async ({ target, scale }) => {
    // The guest read its clock at some moment between these two. One second more, because a clock that is set from
    // the host's at boot may be off by the part of a second that a real-time clock does not keep.
    const slack = 1000 + 100 * scale;
    const before = Date.now();
    const guest = 1000 * Number(await target.sh('date +%s.%N'));
    const after = Date.now();
    expect(guest).toBeGreaterThan(before - slack);
    expect(guest).toBeLessThan(after + slack);
  });

  test('time passes at the right speed', async ({ target }) => {
    // Each reading was taken at some moment between the two of the controller's: however busy either of them is, a
    // clock that keeps time is within these bounds.
    const reading = async () => {
      const before = performance.now() / 1000;
      const program = 'use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC); print clock_gettime(CLOCK_MONOTONIC)';
      const { stdout } = await target.exec(['perl', '-e', program]);
      return { before, target: Number(stdout), after: performance.now() / 1000 };
    };
    const first = await reading();
    await target.sh('sleep 1');
    const second = await reading();
    const passed = second.target - first.target;
    expect(passed).toBeGreaterThanOrEqual(1);
    expect(passed).toBeGreaterThan(second.before - first.after - 0.05);
    // A clock that runs ahead of the controller's would make every timing in it worthless.
    expect(passed).toBeLessThan(second.after - first.before + 0.05);
  });
});

describe('memory and entropy', () => {
  test('as much memory as asked for, less what the kernel keeps', async ({ target }) => {
    const kib = Number(/^MemTotal:\s+(\d+) kB$/m.exec(await target.read('/proc/meminfo'))?.[1]);
    expect(kib * 1024).toBeLessThanOrEqual(target.facts.memoryBytes);
    expect(kib * 1024).toBeGreaterThan(target.facts.memoryBytes * 0.75 - 32 * MIB);
  });

  test('random numbers come without waiting', async ({ target }) => {
    // getrandom(2) blocks until the kernel's generator is ready; with `timeout` a block is a failure and no hang.
    const bytes = await target.sh(`timeout ${Math.ceil(deadlineMs(5) / 1000)} head -c 4096 /dev/urandom | wc -c`);
    expect(Number(bytes)).toBe(4096);
    // 256 is all that it ever says since Linux 5.18: the generator is ready.
    expect(Number(await target.read('/proc/sys/kernel/random/entropy_avail'))).toBeGreaterThanOrEqual(256);
  });
});

describe('system', () => {
  test('the Debian release that it was made of', async ({ target }) => {
    const release = await target.read('/etc/os-release');
    expect(release).toMatch(/^ID=debian$/m);
    // On a machine that exists nobody asked for one.
    if (target.facts.release !== undefined)
      expect(/^VERSION_CODENAME=(.*)$/m.exec(release)?.[1]).toBe(target.facts.release);
  });

  test('the packages are of the same architecture as the kernel', async ({ target }) => {
    expect(await target.sh('dpkg --print-architecture')).toBe(target.arch.debian);
  });

  test('the root file system can be written', async ({ target }) => {
    const path = '/var/tmp/harness-smoke';
    await target.write(path, 'one\ntwo\n', { mode: 0o600 });
    expect(await target.read(path)).toBe('one\ntwo\n');
    expect(await target.sh(`stat -c '%a %U' ${path} && rm ${path}`)).toBe('600 root');
  });

  test('systemd has started everything, and nothing of it failed', async ({ target }) => {
    const state = await target.exec('systemctl is-system-running --wait', { seconds: 30 });
    // Asked for first, because the names say more than the state "degraded".
    expect(await target.sh('systemctl list-units --failed --plain --no-legend')).toBe('');
    expect(state.stdout.trim()).toBe('running');
  });
});
