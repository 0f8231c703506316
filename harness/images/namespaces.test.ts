import { expect, test } from 'vitest';
import { explainedBy } from './namespaces.ts';

const settings = (known: Readonly<Record<string, string>>) => async (key: string) => known[key];
const REFUSED = 'unshare: unshare failed: Operation not permitted';

test.each([
  ['Ubuntu 24.04', { 'kernel.apparmor_restrict_unprivileged_userns': '1' }, REFUSED, 'userns=0'],
  ['a hardened Debian', { 'kernel.unprivileged_userns_clone': '0' }, REFUSED, 'userns_clone=1'],
  ['no namespaces at all', { 'user.max_user_namespaces': '0' }, 'unshare: unshare failed: No space left', '=15000'],
  ['no ids', { 'user.max_user_namespaces': '9' }, 'unshare: no line matching user "me" in /etc/subuid', 'usermod'],
  ['a chroot', { 'kernel.unprivileged_userns_clone': '1' }, REFUSED, 'chroot'],
])('who may not be root in a namespace is told what mends it: %s', async (_name, known, said, hint) => {
  const problem = await explainedBy(said, settings(known), 'me');
  expect(problem.hint).toContain(hint);
  expect(problem.why).not.toBe('');
});

test('an unknown error has the message of unshare', async () => {
  expect((await explainedBy(`warning\n${REFUSED}\n`, settings({}), 'me')).why).toBe(REFUSED);
});
