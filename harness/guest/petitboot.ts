/**
 * The first program of the small Linux that stands for a blank machine's firmware where QEMU has none that boots Debian's kernel
 * from the network. It does what petitboot does on OpenPOWER machines: it goes through the devices in the order of the machine's
 * boot list, and starts the first kernel that it finds with kexec(2).
 *
 * Network: DHCP as client of the architecture 14 (RFC 4578; PowerPC OPAL), then a configuration of pxelinux's kind, by HTTP or
 * TFTP: option 209, else `pxelinux.cfg/01-MAC` and `pxelinux.cfg/default` beside the boot file (option 210 or its folder).
 * Disk: the first entry of `/boot/grub/grub.cfg` on a partition with ext4.
 */
const INIT = `#!/bin/sh
export PATH=/bin:/sbin:/usr/bin:/usr/sbin
/bin/busybox mkdir -p /proc /sys /dev /tmp /mnt /usr/bin /usr/sbin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
exec </dev/console >/dev/console 2>&1
say() { echo "petitboot: $*"; }
while read -r module; do insmod "/modules/$module" 2>/dev/null; done </modules/order
ip link set lo up

# The order is the firmware's boot list: /pci@…/ethernet@1 /pci@…/scsi@2.
order() {
  for path in $(tr '\\000' '\\n' <'/proc/device-tree/chosen/qemu,boot-list' 2>/dev/null); do
    case $path in
      *ethernet*) echo network ;;
      *scsi*|*disk*|*block*) echo disk ;;
    esac
  done
}

fetch() { # URL-OR-PATH FILE
  case $1 in
    http://*) wget -q -O "$2" "$1" ;;
    *) tftp -g -r "$1" -l "$2" "$server" 2>/dev/null ;;
  esac
}

# Starts what a configuration of pxelinux's kind names: its default entry, else its first.
start_configuration() { # FILE BASE
  awk -f /petitboot-entry "$1" >/tmp/entry
  { read -r kernel; read -r initrd; read -r append; read -r ipappend; } </tmp/entry
  [ -n "$kernel" ] || return 1
  case $kernel in http://*) ;; *) kernel=$2$kernel ;; esac
  case $initrd in http://*|'') ;; *) initrd=$2$initrd ;; esac
  [ "$ipappend" = 2 ] && append="$append BOOTIF=01-$(tr : - </sys/class/net/eth0/address)"
  say "loads $kernel"
  fetch "$kernel" /tmp/kernel || { say "cannot load $kernel"; return 1; }
  if [ -n "$initrd" ]; then
    say "loads $initrd"
    fetch "$initrd" /tmp/initrd || { say "cannot load $initrd"; return 1; }
    start /tmp/kernel "$append" --initrd=/tmp/initrd
  else
    start /tmp/kernel "$append"
  fi
}

start() { # KERNEL ARGUMENTS [--initrd=FILE]
  image=$1 arguments=$2
  shift 2
  kexec -l "$image" --append="$arguments" "$@" || { say "cannot use $image"; return 1; }
  umount /mnt 2>/dev/null
  ip link set eth0 down 2>/dev/null
  say "starts it"
  kexec -e
}

boot_network() {
  [ -e /sys/class/net/eth0 ] || return 1
  ip link set eth0 up
  rm -f /tmp/lease
  udhcpc -q -n -f -t 5 -T 2 -i eth0 -s /petitboot-lease -x 0x5d:000e -O pxeconffile -O pxepathprefix >/dev/null 2>&1
  [ -e /tmp/lease ] || { say "has no answer on the network"; return 1; }
  . /tmp/lease
  say "has the address $ip"
  base=$prefix
  [ -n "$base" ] || case $file in */*) base=\${file%/*}/ ;; esac
  mac=$(tr : - </sys/class/net/eth0/address)
  for path in $configuration "\${base}pxelinux.cfg/01-$mac" "\${base}pxelinux.cfg/default"; do
    fetch "$path" /tmp/configuration || continue
    say "reads $path"
    start_configuration /tmp/configuration "$base"
  done
  say "finds nothing to boot on the network"
  return 1
}

boot_disk() {
  for partition in /dev/vda[0-9]*; do
    [ -b "$partition" ] || continue
    mount -t ext4 -o ro "$partition" /mnt 2>/dev/null || continue
    for list in /mnt/boot/grub/grub.cfg /mnt/grub/grub.cfg; do
      [ -e "$list" ] || continue
      say "reads $list on $partition"
      kernel=$(awk '$1 == "linux" { print $2; exit }' "$list")
      append=$(awk '$1 == "linux" { $1 = ""; $2 = ""; print; exit }' "$list")
      initrd=$(awk '$1 == "initrd" { print $2; exit }' "$list")
      [ -e "/mnt$kernel" ] || continue
      cp "/mnt$kernel" /tmp/kernel
      case $(head -c 2 /tmp/kernel | od -An -tx1) in *'1f 8b'*) gunzip -c /tmp/kernel >/tmp/plain && mv /tmp/plain /tmp/kernel ;; esac
      [ -z "$initrd" ] || cp "/mnt$initrd" /tmp/initrd
      start /tmp/kernel "$append" \${initrd:+--initrd=/tmp/initrd}
    done
    umount /mnt 2>/dev/null
  done
  say "finds nothing to boot on the disk"
  return 1
}

say "is up"
while :; do
  for device in $(order | grep . || echo network disk); do "boot_$device"; done
  say "tries again in 5 s"
  sleep 5
done
`;

/**
 * Reads a configuration of pxelinux's kind: of its default entry, else its first, it prints the kernel, the initrd, the arguments
 * and `ipappend`, a line each.
 */
const ENTRY = `{ word = tolower($1); rest = $0; sub(/^[ \\t]*[^ \\t]+[ \\t]*/, "", rest) }
word == "default" { wanted = rest }
word == "label" { label = rest; if (first == "") first = label }
word == "kernel" || word == "linux" { kernel[label] = rest }
word == "initrd" { initrd[label] = rest }
word == "append" { append[label] = rest }
word == "ipappend" { ipappend[label] = rest }
END {
  l = (wanted in kernel) ? wanted : first
  if (match(append[l], /initrd=[^ ]+/)) {
    if (initrd[l] == "") initrd[l] = substr(append[l], RSTART + 7, RLENGTH - 7)
    append[l] = substr(append[l], 1, RSTART - 1) substr(append[l], RSTART + RLENGTH)
  }
  print kernel[l]; print initrd[l]; print append[l]; print ipappend[l]
}
`;

/** What udhcpc calls with an answer: it gives the address to the card, and notes the rest. */
const LEASE = `#!/bin/sh
[ "$1" = bound ] || exit 0
ip address flush dev "$interface"
ip address add "$ip/\${mask:-24}" dev "$interface"
for gateway in $router; do ip route add default via "$gateway" dev "$interface"; break; done
cat >/tmp/lease <<END
ip='$ip'
server='\${siaddr:-$serverid}'
file='$boot_file'
configuration='$pxeconffile'
prefix='$pxepathprefix'
END
`;

/** Its programs in the ramdisk. */
export const PETITBOOT_FILES = [
  { path: '/init', content: INIT },
  { path: '/petitboot-lease', content: LEASE },
  { path: '/petitboot-entry', content: ENTRY },
] as const;
