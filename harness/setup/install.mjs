// The slow half of the set-up. start.mjs runs it under flock(1), so everything is checked again: the previous holder of
// the lock has probably done the work.
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { thisDistribution } from './distribution.mjs';
import { installNpm, npmIsCurrent } from './npm-packages.mjs';
import { SetupError } from './say.mjs';
import { installSystem, missingPackages, privilegeOf } from './system.mjs';
import { packagesFor } from './system-packages.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const packages = packagesFor(process.argv.includes('--tests'), thisDistribution());
const check = () => missingPackages({ path: process.env['PATH'] ?? '', packages });

/** @param {string} program @param {string[]} args */
const runs = (program, args) => spawnSync(program, args, { stdio: 'ignore' }).status === 0;

try {
  const missing = process.env['HARNESS_NO_SYSTEM_PACKAGES'] ? [] : check();
  // First, because it may stop with a command for the user to type, which should not take a minute of npm to appear.
  if (missing.length > 0) {
    const isTty = process.stdin.isTTY === true && process.stderr.isTTY === true;
    installSystem(missing, privilegeOf({ uid: process.getuid?.() ?? -1, isTty, runs }), check);
  }
  if (!npmIsCurrent(root)) installNpm(root);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.code;
}
