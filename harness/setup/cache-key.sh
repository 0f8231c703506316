#!/usr/bin/env bash
# Prints a key for the harness's cache that changes only with what is in it: images, and the snapshots beside them, are
# in folders that are named by a hash of all that they are made of.
set -euo pipefail
cache=${HARNESS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/multiarch-harness}
names=$(cd "$cache/images" 2> /dev/null && find . -mindepth 1 -maxdepth 1 -type d ! -name '*.*' | LC_ALL=C sort) || true
if [ -z "$names" ]; then exit 0; fi
echo "$1-$(sha256sum <<< "$names" | cut -c 1-16)"
