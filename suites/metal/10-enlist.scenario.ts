import { deadlineMs, expect, test } from 'multiarch-harness';
import { enlist } from './metal.ts';

test('blank machines are there, switched off', async ({ cluster }) => {
  expect(cluster.nodes.map(({ node }) => node)).toEqual(['ctl']);
  expect(cluster.blanks.map(({ node }) => node)).toEqual(['m1', 'm2', 'm3']);
  expect(await Promise.all(cluster.blanks.map((node) => node.power()))).toEqual(['off', 'off', 'off']);
});

test(
  'one that is switched on boots from the network, enlists itself and switches itself off',
  async ({ cluster, target }) => {
    const m1 = cluster.blank('m1');
    const said = await enlist(target, m1);
    expect(said).toMatchObject({
      mac: m1.mac,
      arch: m1.arch.machine,
      cores: '1',
      disk: String(256 * 2 ** 20),
      // The boot server's is the only DHCP server, and there is no way out of the network.
      dhcp: '10.77.0.11',
      routes: '0',
    });
    // Its kernel keeps some.
    const mebibytes = Number(said['memory']) / 1024;
    expect(mebibytes).toBeGreaterThan(0.75 * 768);
    expect(mebibytes).toBeLessThanOrEqual(768);
  },
  deadlineMs(45),
);
