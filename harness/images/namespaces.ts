import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { execa } from 'execa';
import { asRoot } from './as-root.ts';

/** Why an ordinary user cannot build images here, and how to fix it. */
export interface NamespaceProblem {
  readonly why: string;
  readonly hint: string;
}

/** Kernel settings that forbid an ordinary user a namespace: their files, values, and the commands to change them. */
const FORBIDDEN = [
  // Ubuntu since 23.10.
  { key: 'kernel.apparmor_restrict_unprivileged_userns', value: '1', allowed: '0' },
  // Debian before 11, and hardened systems.
  { key: 'kernel.unprivileged_userns_clone', value: '0', allowed: '1' },
  { key: 'user.max_user_namespaces', value: '0', allowed: '15000' },
] as const;

/**
 * Tries whether an ordinary user can become root in a user namespace, in which images are built.
 * @returns undefined if it works, and for root.
 */
export async function namespaceProblem(): Promise<NamespaceProblem | undefined> {
  if (process.getuid?.() === 0) return undefined;
  const [program, ...args] = asRoot(['true']);
  const tried = await execa(program!, args, { reject: false, stdin: 'ignore' });
  if (tried.exitCode === 0) return undefined;
  const setting = (key: string) =>
    readFile(`/proc/sys/${key.replaceAll('.', '/')}`, 'utf8').then(
      (text) => text.trim(),
      () => undefined,
    );
  return explainedBy(tried.stderr, setting, userInfo().username);
}

/**
 * @param said what `unshare` printed.
 * @param setting the value of a setting of the kernel, or undefined where it has none of the name.
 */
export async function explainedBy(
  said: string,
  setting: (key: string) => Promise<string | undefined>,
  user: string,
): Promise<NamespaceProblem> {
  for (const { key, value, allowed } of FORBIDDEN)
    if ((await setting(key)) === value)
      return { why: `${key} is ${value}, so the kernel refuses it`, hint: `sudo sysctl -w ${key}=${allowed}` };
  if (/sub[ug]id/.test(said))
    return {
      why: `${user} has no ids of its own in /etc/subuid and /etc/subgid`,
      hint: `sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${user}`,
    };
  return {
    why: said.trim().split('\n').at(-1) ?? '',
    hint: 'In a chroot and in most containers the kernel refuses it: build as root there.',
  };
}
