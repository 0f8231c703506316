import { InfraError } from '../../base/errors.ts';
import { lastLines } from '../../base/text.ts';

/**
 * Why ssh did not reach a machine, with advice. ssh has one exit code for all causes, so its messages have to be
 * parsed; they have been the same since OpenSSH 5.
 */
export function connectionError(name: string, said: string, try_: readonly string[]): InfraError {
  const lines = lastLines(said, 20);
  const last = lines.find((line) => /Permission denied/.test(line)) ?? lines.at(-1) ?? 'ssh said nothing';
  const again = `See what it says: ${['ssh', '-v', ...try_].join(' ')}`;
  const [why, hint] = /HOST IDENTIFICATION HAS CHANGED/.test(said)
    ? ['its host key is not the one that is known', changedKeyHint(said)]
    : /Host key verification failed/.test(said)
      ? ['its host key is not known', `Connect once by hand and compare the key: ${['ssh', ...try_].join(' ')}`]
      : /Permission denied/.test(said)
        ? [`it does not let us in (${last})`, 'Keys are those of your ssh: `ssh-add -l`, or `key:` in machines.yaml.']
        : [`it cannot be reached (${last})`, again];
  return new InfraError(`cannot use ${name}: ${why}`, { hint });
}

/** ssh's message names the offending line of known_hosts. */
function changedKeyHint(said: string): string {
  const place = /Offending .* key in (\S+?):?(\d+)?\s*$/m.exec(said);
  const where = place ? ` It was expected to be that of ${place[1]}${place[2] ? `:${place[2]}` : ''}.` : '';
  return `Somebody may be in between, or the machine was installed anew: find out which before you remove the old key.${where}`;
}
