#!/usr/bin/env bash
# Prepares a runner for the actions in .github/actions: sets up the checkout that contains this file, and puts its command
# `harness` on the PATH of later steps.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

if [ "${SYSTEM_PACKAGES:-true}" != true ]; then export HARNESS_NO_SYSTEM_PACKAGES=1; fi
node "$here/start.mjs" --setup

# A separate folder: node_modules/.bin has programs that would take precedence over the caller's.
programs=$RUNNER_TEMP/harness-command
mkdir -p "$programs"
ln -sf "$here/harness.mjs" "$programs/harness"
echo "$programs" >> "$GITHUB_PATH"
