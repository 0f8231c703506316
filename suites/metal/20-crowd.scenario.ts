import { deadlineMs, expect, test } from 'multiarch-harness';
import { enlist } from './metal.ts';

test(
  'a second and a third machine enlist at once, each as what it is',
  async ({ cluster, target }) => {
    const [m2, m3] = [cluster.blank('m2'), cluster.blank('m3')];
    const [second, third] = await Promise.all([enlist(target, m2), enlist(target, m3)]);
    expect(second).toMatchObject({ mac: m2.mac, arch: m2.arch.machine, disk: String(512 * 2 ** 20) });
    expect(third).toMatchObject({ mac: m3.mac, arch: m3.arch.machine, disk: String(256 * 2 ** 20) });
    expect(Number(second['memory'])).toBeGreaterThan(Number(third['memory']));
  },
  deadlineMs(60),
);
