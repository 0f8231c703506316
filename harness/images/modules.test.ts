import { expect, test } from 'vitest';
import { moduleNames } from './modules.ts';

test('names of modules, as files and built in, compressed or not', () => {
  const dep = 'kernel/net/netfilter/ipvs/ip_vs.ko: kernel/net/a.ko\nkernel/crypto/xts-x.ko.xz:\n';
  const builtin = 'kernel/net/8021q/8021q.ko\n';
  expect([...moduleNames(dep + builtin)]).toEqual(expect.arrayContaining(['ip_vs', 'xts_x', '8021q']));
});
