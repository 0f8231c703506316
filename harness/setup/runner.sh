#!/usr/bin/env bash
# What the actions in .github/actions do to a runner: the set-up of the checkout that this file is in, and its command
# `harness` on the PATH of the steps that follow.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

if [ "${SYSTEM_PACKAGES:-true}" != true ]; then export HARNESS_NO_SYSTEM_PACKAGES=1; fi
node "$here/start.mjs" --setup

# A folder of its own: in node_modules/.bin are programs that would come before the caller's.
programs=$RUNNER_TEMP/harness-command
mkdir -p "$programs"
ln -sf "$here/harness.mjs" "$programs/harness"
echo "$programs" >> "$GITHUB_PATH"
