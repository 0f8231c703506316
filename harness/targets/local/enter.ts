/**
 * Makes a separate system on top of this host's: an overlay over the root file system, so that all changes vanish with
 * it, its own processes, host name and network, and the manager of services as its first process.
 * Arguments: a folder for it, the folder of the manager, the host name, and an address with its prefix if the network is
 * separate, else an empty word. Waits for a line on standard input: by then the network has its interface.
 */
export const ENTER = `
set -e
place=$1 services=$2 name=$3 address=$4
mount --make-rprivate /
mount -t tmpfs -o mode=0755 tmpfs "$place"
mkdir "$place/upper" "$place/work" "$place/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$place/upper,workdir=$place/work" "$place/root"
cd "$place/root"
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
resolv=$(cat /etc/resolv.conf 2>/dev/null || true)
mount -t tmpfs -o mode=0755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mkdir -p run/lock usr/lib/harness usr/local/bin mnt
cp -r "$services" usr/lib/harness/services
for command in systemctl journalctl; do ln -sf /usr/lib/harness/services/client.pl "usr/local/bin/$command"; done
# Packages that are installed here start nothing by themselves.
printf '#!/bin/sh\\nexit 101\\n' >usr/sbin/policy-rc.d
chmod 755 usr/sbin/policy-rc.d
# Of a host with systemd it is a link into the /run that is not there any more.
rm -f etc/resolv.conf
printf '%s\\n' "$resolv" >etc/resolv.conf
hostname "$name"
echo "waiting"
read -r _
if [ -n "$address" ]; then
  ip link set lo up
  ip address add "$address" dev eth0
  ip link set eth0 up
fi
pivot_root . mnt
exec chroot . sh -c 'umount -l /mnt; exec </dev/null; exec /usr/bin/perl /usr/lib/harness/services/manager.pl'
`;
