import { chmod, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { dieWithParent } from '../harness/base/process.ts';
import { retryUntil } from '../harness/base/time.ts';
import { type BootSource, bmcOf, type PowerState, switchPower } from '../harness/bmc/bmc.ts';
import { type ServedSystem, serveRedfish } from '../harness/bmc/service.ts';
import type { VmHandle } from '../harness/targets/vm/machine.ts';
import { openQmp } from '../harness/targets/vm/qmp.ts';
import { tempFiles } from '../harness/testing/temp-files.ts';
import { makeProject } from './support/project.ts';
import { type StandIn, standIns, writeInventory } from './support/stand-in.ts';

const LOGIN = { user: 'admin', password: 'secret' };

/** A free port of the loopback interface; another process may still take it. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** OpenIPMI's simulator, which keeps the power state in a file. */
async function simulator() {
  const port = await freePort();
  const auths = 'none md2 md5 straight';
  const files = await tempFiles({
    password: 'secret\n',
    wrong: 'wrong\n',
    state: '0\n',
    emulator: 'mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02\nmc_enable 0x20\n',
    'nothing/there': '',
  });
  const at = (name: string) => join(files.folder, name);
  await writeFile(
    at('chassis'),
    `#!/bin/sh
op=$1
shift
case $op in
get) for name in "$@"; do case $name in power) echo "power:$(cat '${at('state')}')";; *) echo "$name:0";; esac; done ;;
set) while [ $# -gt 0 ]; do case $1 in power) echo "$2" >'${at('state')}';; esac; shift 2; done ;;
esac
`,
  );
  await chmod(at('chassis'), 0o755);
  await writeFile(
    at('lan.conf'),
    `name "sim"
set_working_mc 0x20
  startlan 1
    addr 127.0.0.1 ${port}
    priv_limit admin
    ${['callback', 'user', 'operator', 'admin'].map((level) => `allowed_auths_${level} ${auths}`).join('\n    ')}
    guid a123456789abcdefa123456789abcdef
  endlan
  chassis_control "${at('chassis')}"
  user 2 true "admin" "secret" admin 10 ${auths}
`,
  );
  const argv = dieWithParent(['ipmi_sim', '-c', at('lan.conf'), '-f', at('emulator'), '-s', at('nothing'), '-n']);
  const [program, ...args] = argv;
  const running = execa(program!, args, { reject: false, stdin: 'ignore' });
  return {
    port,
    at,
    state: async () => (await readFile(at('state'), 'utf8')).trim(),
    async [Symbol.asyncDispose]() {
      running.kill('SIGKILL');
      await running;
      await files[Symbol.asyncDispose]();
    },
  };
}

test('IPMI: power is switched and asked for, and a wrong password is named', async () => {
  await using sim = await simulator();
  const spec = { ipmi: '127.0.0.1', port: sim.port, cipher: 3, user: 'admin', passwordFile: sim.at('password') };
  const bmc = bmcOf(spec);
  await retryUntil(() => bmc.state!(), { deadlineMs: 30_000 });
  expect(await bmc.state!()).toBe('off');
  await switchPower(bmc, 'on');
  expect([await sim.state(), await bmc.state!()]).toEqual(['1', 'on']);
  await switchPower(bmc, 'off');
  expect(await sim.state()).toBe('0');
  await expect(bmcOf({ ...spec, passwordFile: sim.at('wrong') }).state!()).rejects.toThrow(
    `cannot ask the BMC ipmi 127.0.0.1:${sim.port}: `,
  );
});

const SUSHY = `
import sushy, sys
from sushy import auth
url, password = sys.argv[1:]
root = sushy.Sushy(url, auth=auth.BasicAuth('admin', password), verify=False)
system = root.get_system('/redfish/v1/Systems/m1')
print(system.identity, system.power_state, sorted(t.value if hasattr(t, 'value') else t for t in system.get_allowed_reset_system_values()))
system.reset_system(sushy.RESET_ON)
system.refresh(force=True)
print(system.power_state, list(system.ethernet_interfaces.summary.items()))
print([manager.identity for manager in system.managers])
system.set_system_boot_options(sushy.BOOT_SOURCE_TARGET_PXE, enabled=sushy.BOOT_SOURCE_ENABLED_ONCE)
system.refresh(force=True)
print(system.boot.enabled == sushy.BOOT_SOURCE_ENABLED_ONCE, system.boot.target == sushy.BOOT_SOURCE_TARGET_PXE)
`;

test('Redfish: a client that is not ours is satisfied, and refused with a wrong password', async () => {
  let state: PowerState = 'off';
  let once: BootSource | undefined;
  const system: ServedSystem = {
    state: () => state,
    on: async () => {
      state = 'on';
    },
    off: async () => {
      state = 'off';
    },
    boot: {
      choose: async (from, onlyOnce) => {
        once = onlyOnce ? from : undefined;
      },
      once: () => once,
      usual: 'disk',
    },
    macs: ['52:54:00:00:00:01'],
  };
  await using service = await serveRedfish({ ...LOGIN, systems: { m1: system } });
  const sushy = (password: string) =>
    execa('/usr/bin/python3', ['-c', SUSHY, service.url, password], { reject: false });
  const good = await sushy('secret');
  expect(good.stdout.toLowerCase(), good.stderr).toContain("m1 powerstate.off ['forceoff'");
  expect(good.stdout, good.stderr).toContain("('52:54:00:00:00:01'");
  expect(good.stdout).toContain("['m1']");
  expect(good.stdout).toContain('True True');
  expect([state, once]).toEqual(['on', 'network']);
  const bad = await sushy('wrong');
  expect(bad.stderr).toContain('AccessError');
});

test('a suite that cuts the power runs on a machine behind a BMC, and doctor says what it answers', async () => {
  await using project = await makeProject({
    password: 'secret\n',
    'matrices/m.yaml': 'arch: [amd64]\nsuite: [cut]\ntarget: [ssh]\nlimits: {scale: 10}\n',
    'suites/cut/suite.yaml': 'needs: [power]\nmachine: { memory: 256 }\n',
    'suites/cut/a.scenario.ts': `import { expect, test } from 'multiarch-harness';
test('the machine starts anew', async ({ target }) => {
  const boot = () => target.sh('cat /proc/sys/kernel/random/boot_id');
  const before = await boot();
  await target.powerCycle();
  expect(await boot()).not.toBe(before);
});
`,
  });
  const [machine] = (await standIns(project, ['amd64'])) as [StandIn];
  await using _machine = machine;
  let state: PowerState = 'on';
  // Like a BMC, it answers before the machine has started.
  const switched =
    (to: PowerState, ...commands: readonly string[]) =>
    async () => {
      using qmp = await openQmp((machine.target.handle as VmHandle).controlSocket, { deadlineMs: 10_000 });
      for (const command of commands) await qmp.execute(command);
      state = to;
    };
  const system = { state: () => state, on: switched('on', 'system_reset', 'cont'), off: switched('off', 'stop') };
  await using service = await serveRedfish({ ...LOGIN, systems: { real: system } });
  await writeInventory(
    project,
    [machine],
    'machines.yaml',
    ({ arch }) =>
      `address: real-${arch}, arch: ${arch}, power: { redfish: "${service.url}", user: admin, password-file: password }`,
  );
  const doctor = await project.harness(['doctor']);
  expect(doctor.stdout).toContain(`power of real-amd64 usable      redfish ${service.url}: it is on`);
  // A BMC sometimes fails for a moment.
  service.fault('real', { status: 500, times: 2 });
  const { exitCode, stderr } = await project.harness(['run', 'm']);
  expect(exitCode, stderr).toBe(0);
  expect(state).toBe('on');
});
