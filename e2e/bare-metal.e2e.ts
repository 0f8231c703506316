import { expect, test } from 'vitest';
import type { StoredEvent, TestStarted } from '../harness/events/types.ts';
import { putSuite, scenarioFiles, WHOLE } from './support/part-of-suite.ts';
import { leftovers, makeProject, type TestProject, troubles } from './support/project.ts';

/** A boot server and one blank machine of amd64: the smallest that shows all that the harness does. */
const files = {
  'matrices/blank.yaml': `arch: [amd64]
suite: [blank]
release: [trixie]
limits: {scale: 10}
retries: {infra: 0, emulator: 0}
`,
  'suites/blank/suite.yaml': `machine: {memory: 384}
nodes:
  ctl: {}
  m1: {blank: {disk: 256, memory: 512}}
stack:
  packages: [dnsmasq-base, ipxe, busybox, curl]
  files:
    - {path: /etc/netboot.conf, from: dnsmasq.conf}
    - {path: /srv/boot.ipxe, from: boot.ipxe}
    - {path: /srv/cgi-bin/seen, from: seen, mode: '0755'}
  ramdisks:
    - path: /srv/boot
      files: [{path: /init, from: init, mode: '0755'}, {path: /lease, from: lease, mode: '0755'}]
  commands:
    - dnsmasq --conf-file=/etc/netboot.conf
    - busybox httpd -p 10.77.0.11:80 -h /srv
timeouts: {test: 60}
`,
  'suites/blank/dnsmasq.conf': `interface=eth1
bind-interfaces
except-interface=lo
port=0
no-ping
user=root
dhcp-range=10.77.0.100,10.77.0.200,255.255.255.0,1h
dhcp-option=3
enable-tftp
tftp-root=/usr/lib/ipxe
dhcp-match=set:ipxe,175
dhcp-boot=tag:ipxe,http://10.77.0.11/boot.ipxe
dhcp-boot=tag:!ipxe,ipxe-amd64.efi
`,
  'suites/blank/boot.ipxe': `#!ipxe
kernel http://10.77.0.11/boot/amd64/linux initrd=initrd console=ttyS0 quiet net.ifnames=0 mitigations=off no_timer_check
initrd http://10.77.0.11/boot/amd64/initrd
boot
`,
  'suites/blank/seen': `#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
echo "$QUERY_STRING" >>/run/seen
`,
  'suites/blank/lease': `#!/bin/sh
[ "$1" = bound ] || exit 0
/bin/busybox ip address add "$ip/$mask" dev "$interface"
`,
  // The whole of an operating system: it has an address, says who it is, and switches itself off.
  'suites/blank/init': `#!/bin/sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
while read -r module; do insmod "/modules/$module"; done </modules/order
ip link set eth0 up
udhcpc -q -n -t 20 -T 1 -i eth0 -s /lease
echo "a shell on $(uname -m)"
wget -q -O - "http://10.77.0.11/cgi-bin/seen?$(cat /sys/class/net/eth0/address),$(uname -m)"
poweroff -f
`,
};

const BOOTS = `import { deadlineMs, eventually, expect, test } from 'multiarch-harness';

test('it is blank and switched off', async ({ cluster }) => {
  expect(cluster.nodes.map(({ node }) => node)).toEqual(['ctl']);
  expect(cluster.blanks.map(({ node, mac, arch }) => [node, mac, arch.name])).toEqual([['m1', '52:54:00:77:00:0c', 'amd64']]);
  expect(await cluster.blank('m1').power()).toBe('off');
  await expect(cluster.blank('m1').reset()).rejects.toThrow('cannot reset m1: it is off');
  expect(() => cluster.blank('m2')).toThrow('there is no blank node "m2": suite.yaml names m1');
});

test('its BMC is there for the first machine', async ({ cluster, target }) => {
  const { url, user, password } = cluster.bmc;
  const system = url + '/redfish/v1/Systems/m1';
  const ask = (options) => target.sh(\`curl -s -m 20 -o /tmp/answer -w '%{http_code}' \${options}; echo; cat /tmp/answer\`);
  expect(await ask(\`-u \${user}:wrong \${system}\`)).toMatch(/^401/);
  expect(await ask(\`-u \${user}:\${password} \${system}\`)).toMatch(/^200[^]*"PowerState":"Off"/);
  await cluster.bmc.fault('m1', { status: 500, times: 1 });
  expect(await ask(\`-u \${user}:\${password} \${system}\`)).toMatch(/^500/);
  await cluster.bmc.fault('m1', { hang: true, times: 1 });
  expect((await target.exec(\`curl -m 3 -u \${user}:\${password} \${system}\`)).exitCode).toBe(28);
  expect(await cluster.bmc.requests()).toBe(4);
});

test('it boots from the network to a shell, is seen, and switches itself off', async ({ cluster, target }) => {
  const m1 = cluster.blank('m1');
  const { url, user, password } = cluster.bmc;
  await target.sh(\`curl -sf -u \${user}:\${password} -d '{"ResetType":"On"}' \${url}/redfish/v1/Systems/m1/Actions/ComputerSystem.Reset\`);
  expect(await m1.power()).toBe('on');
  await eventually(async () => expect(await target.sh('cat /run/seen')).toBe(\`\${m1.mac},x86_64\`), { seconds: 20 });
  await eventually(async () => expect(await m1.power()).toBe('off'), { seconds: 5 });
  expect((await m1.console(200)).join('\\n')).toContain('a shell on x86_64');
}, deadlineMs(30));
`;

async function passes(project: TestProject, args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await project.harness(['run', ...args]);
  expect(troubles(await project.results()), stderr).toEqual([]);
  expect(exitCode, stderr).toBe(0);
  expect(await leftovers(project.folder)).toEqual([]);
}

test('a blank machine boots from the network, is seen, and switches itself off', async () => {
  await using project = await makeProject({ ...files, 'suites/blank/boots.scenario.ts': BOOTS });
  await passes(project, ['blank']);
});

const HANGS = `import { test } from 'multiarch-harness';

test('never ends', async ({ cluster }) => {
  await cluster.blank('m1').on();
  await new Promise(() => {});
}, 600_000);
`;

test('of a harness that is killed in the middle nothing stays behind once its garbage is collected', async () => {
  await using project = await makeProject({ ...files, 'suites/blank/hangs.scenario.ts': HANGS });
  const running = project.start(['run', 'blank']);
  await project.event((event: StoredEvent): event is StoredEvent & TestStarted => event.type === 'test.started');
  running.kill('SIGKILL');
  await running;
  const { stdout } = await project.harness(['gc']);
  expect(stdout).toContain('m1/disk.qcow2');
  expect(await leftovers(project.folder)).toEqual([]);
});

test.runIf(WHOLE).each(['amd64', 'amd64+arm64'])(
  'the suite metal passes on %s',
  { timeout: 30 * 60_000 },
  async (arch) => {
    await using project = await makeProject({});
    await putSuite(project, 'metal', scenarioFiles('metal', []));
    await passes(project, ['metal', '--only', `${arch}/vm/metal`, '--no-bench', '--cold']);
  },
);
