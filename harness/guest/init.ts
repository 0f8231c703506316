import type { Release } from '../releases/index.ts';
import { AGENT_SCRIPT } from './agent.ts';

/**
 * The guest's first process. It replaces Debian's initramfs, whose generator does not finish in useful time under
 * emulation, and udev, which a guest with one disk and one network card does not need. It loads the modules, gives the
 * network card QEMU's user-mode address, mounts the disk, puts the run's own files (`/seed`, a second archive behind
 * the first) onto it and starts systemd. The suite's files (`/stack`) are put there at the first boot only: what a guest
 * makes of them later outlasts a power cut.
 *
 * With `harness.probe` on the kernel's command line it only reports that it is alive; accelerators are tested this way.
 *
 * The harness reads lines that begin with `harness-init:` on the console.
 */
export const INIT_SCRIPT = `#!/bin/sh
export PATH=/bin
busybox=/bin/busybox
fail() {
  echo "harness-init: cannot $1"
  $busybox sleep 1
  $busybox poweroff -f
}
$busybox mount -t proc proc /proc
$busybox mount -t sysfs sysfs /sys
$busybox mount -t devtmpfs dev /dev
if $busybox grep -qw harness.probe /proc/cmdline; then
  echo "harness-init: alive"
  $busybox poweroff -f
fi
while read -r module; do $busybox insmod "/modules/$module" 2>/dev/null || echo "harness-init: $module was not taken"; done < /modules/order
$busybox ip link set lo up
if [ -e /sys/class/net/eth0 ]; then
  $busybox ip address add 10.0.2.15/24 dev eth0
  $busybox ip link set eth0 up
  $busybox ip route add default via 10.0.2.2
fi
if [ -e /sys/class/net/eth1 ] && read -r address < /seed/etc/harness/lan; then
  $busybox ip address add "$address" dev eth1
  $busybox ip link set eth1 up
fi
tries=0
until [ -b /dev/vda ]; do
  tries=$((tries + 1))
  [ $tries -lt 100 ] || fail "find the disk"
  $busybox usleep 100000
done
$busybox mount -t ext4 -o noatime /dev/vda /root || fail "mount the disk"
if [ -e /stack/place ] && [ ! -e /root/etc/harness/placed ]; then
  /bin/sh /stack/place || fail "put the suite's files in their places"
  $busybox mkdir -p /root/etc/harness && : > /root/etc/harness/placed
fi
$busybox cp -a /seed/. /root/ || fail "write the run's files"
$busybox umount /proc /sys
$busybox mount --move /dev /root/dev
exec $busybox switch_root /root /sbin/init
fail "start the system"
`;

/** Files of every image in addition to its packages. */
export const GUEST_FILES: readonly { readonly path: string; readonly content: string }[] = [
  {
    // The harness's own access: early, without PAM, name look-ups or anything that waits for the rest of the system.
    path: '/etc/systemd/system/harness-ssh.service',
    content: `[Unit]
Description=SSH for the harness
DefaultDependencies=no
Conflicts=shutdown.target
[Service]
RuntimeDirectory=sshd
RuntimeDirectoryMode=0755
RuntimeDirectoryPreserve=yes
ExecStart=/usr/sbin/sshd -D -e -f /etc/ssh/harness_sshd_config
Restart=always
RestartSec=200ms
KillMode=process
StandardError=journal+console
`,
  },
  {
    path: '/etc/ssh/harness_sshd_config',
    content: `Port 22
HostKey /etc/ssh/harness_host_key
AuthorizedKeysFile /etc/ssh/harness_authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
X11Forwarding no
PrintMotd no
MaxSessions 100
MaxStartups 100
Subsystem sftp internal-sftp
`,
  },
  { path: '/usr/lib/harness/agent', content: AGENT_SCRIPT },
  {
    path: '/etc/systemd/system/harness-agent.service',
    content: `[Unit]
Description=Answers the harness over a virtio port
DefaultDependencies=no
Conflicts=shutdown.target
[Service]
ExecStart=/usr/bin/perl /usr/lib/harness/agent
Restart=always
RestartSec=200ms
`,
  },
  { path: '/etc/fstab', content: '' },
  // A journal in memory: nothing to flush, nothing that writes to the disk behind a benchmark's back.
  { path: '/etc/systemd/journald.conf.d/harness.conf', content: '[Journal]\nStorage=volatile\n' },
];

/** Units that a test guest never needs: periodic jobs, consoles, probes for hardware that is not there. */
export const MASKED_UNITS: readonly string[] = [
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'dpkg-db-backup.timer',
  'e2scrub_all.timer',
  'e2scrub_reap.service',
  'fstrim.timer',
  'getty@.service',
  'serial-getty@.service',
  'console-getty.service',
  'getty-static.service',
  'kmod-static-nodes.service',
  'modprobe@.service',
  'ssh.service',
  'ssh.socket',
  'systemd-ask-password-wall.path',
  'systemd-ask-password-console.path',
  'systemd-binfmt.service',
  'systemd-firstboot.service',
  // For interactive sessions; the harness's own access has none.
  'systemd-logind.service',
  'systemd-machine-id-commit.service',
  'systemd-pstore.service',
  'systemd-random-seed.service',
  'systemd-remount-fs.service',
  'systemd-update-utmp.service',
  'systemd-update-utmp-runlevel.service',
  'systemd-user-sessions.service',
  'sys-kernel-config.mount',
  'sys-kernel-debug.mount',
  'sys-kernel-tracing.mount',
  'dev-hugepages.mount',
  'dev-mqueue.mount',
  'proc-sys-fs-binfmt_misc.automount',
];

/** Generators run one after another at each boot, for hardware and set-ups that the guest does not have. */
const MASKED_GENERATORS: readonly string[] = [
  'systemd-cryptsetup-generator',
  'systemd-debug-generator',
  'systemd-getty-generator',
  'systemd-gpt-auto-generator',
  'systemd-hibernate-resume-generator',
  'systemd-integritysetup-generator',
  'systemd-rc-local-generator',
  'systemd-run-generator',
  'systemd-system-update-generator',
  'systemd-veritysetup-generator',
];

/** All generators that are masked in guests of a release. */
export function maskedGenerators(release: Pick<Release, 'maskedGenerators'>): readonly string[] {
  return [...MASKED_GENERATORS, ...release.maskedGenerators];
}
