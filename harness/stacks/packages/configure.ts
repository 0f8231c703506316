import { StackError } from '../../base/errors.ts';
import { mention } from '../../base/mention.ts';
import { lastLines, shellQuote } from '../../base/text.ts';
import { scaledMs } from '../../base/time.ts';
import { LAST_TARGET } from '../../images/disk.ts';
import { installProgress } from '../../images/progress.ts';
import type { Target } from '../../targets/target.ts';
import type { DeployOptions } from '../deployer.ts';

/** Native seconds for configuring a package; the slowest known, a database, takes a few. */
const SECONDS_EACH = 60;

/** Services start in the second half of the machine's boot, as on an image without anything to configure. */
const POLICY = '/usr/sbin/policy-rc.d';

/**
 * Configures, once, the packages that an image build had to leave: the machine has booted without services, and starts
 * them now. The result is in the snapshot.
 * @throws StackError with dpkg's message.
 */
export async function configurePackages(
  target: Target,
  packages: readonly string[],
  { scale, signal, progress }: DeployOptions,
): Promise<void> {
  if (packages.length === 0) return;
  // A database's first start takes minutes on an emulated machine, without output.
  const stop = mention(() => progress(`first boot: configuring ${packages.join(', ')}`));
  const script = `printf '#!/bin/sh\\nexit 101\\n' > ${POLICY} && chmod 755 ${POLICY} || exit 1
trap 'rm -f ${POLICY}' EXIT
DEBIAN_FRONTEND=noninteractive dpkg --force-confold --configure --pending 2>&1 || exit 1
ln -sf /lib/systemd/system/${shellQuote(LAST_TARGET)} /etc/systemd/system/default.target
systemctl daemon-reload && systemctl start --no-block ${shellQuote(LAST_TARGET)}`;
  const hear = installProgress(packages.length, (message) => progress(`first boot: ${message}`));
  const deadlineMs = scaledMs(SECONDS_EACH * packages.length, scale);
  const onOutput = (chunk: string) => void chunk.split('\n').forEach(hear);
  const { exitCode, stdout, stderr } = await target
    .exec(['sh', '-c', script], { deadlineMs, signal, onOutput })
    .finally(stop);
  if (exitCode === 0) return;
  throw new StackError(`cannot configure ${packages.join(', ')} in the first boot: dpkg exited with ${exitCode}`, {
    cause: lastLines(`${stdout}\n${stderr}`, 15).join('\n'),
    consoleTail: await target.consoleTail(20),
  });
}
