import { eventually, expect, test } from 'multiarch-harness';
import { converged, engineOf, nodeList, page, placesOf } from './swarm.ts';

const READY = ['n1 ready active leader', 'n2 ready active worker', 'n3 ready active worker'];

/** Seconds; the manager calls a worker down after three. */
const HEARTBEAT_SECONDS = 3;

test('a partitioned manager loses no service, and knows its workers again afterwards', async ({ cluster }) => {
  const n1 = cluster.node('n1');
  const manager = engineOf(n1);
  await n1.sh(`docker swarm update --dispatcher-heartbeat ${HEARTBEAT_SECONDS}s`);
  await cluster.lan.partition(['n1'], ['n2', 'n3']);
  await eventually(
    async () => expect(await nodeList(manager)).toEqual([READY[0], 'n2 down active worker', 'n3 down active worker']),
    { seconds: 5 },
  );
  // Without their manager the workers go on with what they have.
  const served = await Promise.all(['n2', 'n3'].map((name) => page(cluster.node(name)).catch(() => undefined)));
  expect(served.some((got) => got !== undefined)).toBe(true);
  await cluster.lan.heal();
  await eventually(async () => expect(await nodeList(manager)).toEqual(READY), { seconds: 6 });
  await converged(manager, 'my-web', 2, 10);
});

test('a worker without power is down, and its tasks run elsewhere; it comes back', async ({ cluster }) => {
  const [n1, n2] = cluster.nodes;
  const manager = engineOf(n1!);
  await n2!.powerOff();
  const lost = performance.now();
  await eventually(async () => expect(await nodeList(manager)).toContain('n2 down active worker'), { seconds: 5 });
  const tasks = await converged(manager, 'my-web', 2, 10);
  expect(await placesOf(manager, tasks)).not.toContain('n2');
  // Three heartbeats, the first of which may have come just before the power went, and two containers.
  expect(performance.now() - lost).toBeGreaterThan(2 * HEARTBEAT_SECONDS * 1000);
  await eventually(() => page(n1!), { seconds: 3 });
  await n2!.powerOn();
  await eventually(async () => expect(await nodeList(manager)).toEqual(READY), { seconds: 20 });
});

test('of three managers one may be lost; without two there is no swarm until it is forced anew', async ({
  cluster,
}) => {
  const [n1, n2, n3] = cluster.nodes;
  const manager = engineOf(n1!);
  await n1!.sh('docker node promote n2 n3');
  await eventually(
    async () =>
      expect(await nodeList(manager)).toEqual([
        'n1 ready active leader',
        'n2 ready active manager',
        'n3 ready active manager',
      ]),
    { seconds: 6 },
  );
  await n3!.powerOff();
  await n1!.sh('docker service update --detach --label-add quorum=kept my-web');
  await n2!.powerOff();
  const refused = await eventually(
    async () => {
      const asked = await n1!.exec('docker node ls', { seconds: 10 });
      expect(asked.exitCode).not.toBe(0);
      return asked.stderr;
    },
    { seconds: 6 },
  );
  expect(refused).toMatch(/swarm does not have a leader|no elected cluster leader|context deadline exceeded/);
  await eventually(
    async () => {
      const force = ['docker', 'swarm', 'init', '--force-new-cluster', '--advertise-addr', n1!.address];
      const forced = await n1!.exec(force, { seconds: 10 });
      // The engine gives its old manager 15 s to stop, whatever the machine, and can then do neither: it is started anew.
      if (forced.exitCode !== 0) await n1!.sh('systemctl restart docker', { seconds: 20 });
      expect(forced.exitCode, forced.stderr).toBe(0);
    },
    { seconds: 30 },
  );
  expect(await nodeList(manager)).toContain('n1 ready active leader');
  // What they know is of a swarm that is no more, of which they would be two of three managers, and n1 the third: they
  // must not meet it before they have left.
  await cluster.lan.partition(['n1'], ['n2'], ['n3']);
  await Promise.all([
    n2!.powerOn(),
    n3!.powerOn(),
    // Docker 20.10 takes its own manager for none when an overlay network is made, until the engine was started anew.
    n1!.sh('systemctl restart docker', { seconds: 20 }),
  ]);
  await Promise.all([n2!, n3!].map((node) => node.sh('docker swarm leave --force', { seconds: 20 })));
  await cluster.lan.heal();
  await eventually(async () => expect(await nodeList(manager)).toContain('n1 ready active leader'), { seconds: 6 });
  await converged(manager, 'my-web', 2, 15);
});
