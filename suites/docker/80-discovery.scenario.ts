import { setTimeout as delay } from 'node:timers/promises';
import { eventually, expect } from 'multiarch-harness';
import { test } from './engine.ts';

const INSTANCES = ['one', 'two', 'three'];

test('instances register themselves in etcd, nginx follows, and the loss of one is nobody else’s', async ({
  target,
  stack,
}) => {
  const scripts = '--volume /srv/docker/discovery:/etc/nginx/discovery:ro';
  await target.sh(`docker network create mesh && docker run --detach --name etcd --network mesh etcd:1 &&
    docker run --detach --name front --network mesh --publish 5443:80 ${scripts} web:1 /bin/busybox sh /etc/nginx/discovery/follow`);
  for (const name of INSTANCES)
    await target.sh(
      `docker run --detach --name ${name} --hostname ${name} --network mesh ${scripts} tool:1 /bin/busybox sh /etc/nginx/discovery/register`,
    );
  const ask = async () => {
    const response = await fetch(stack.url('registry', '/name'), { headers: { connection: 'close' } });
    const text = (await response.text()).trim();
    if (!response.ok) throw new Error(`nginx answered ${response.status}`);
    return text;
  };
  const served = async () => new Set(await Promise.all(Array.from({ length: 9 }, ask)));
  const upstreams = async () => (await target.sh('docker exec front /bin/busybox cat /run/upstreams/list')).split('\n');
  await eventually(async () => expect(await upstreams()).toHaveLength(3), { seconds: 15 });
  await eventually(async () => expect([...(await served())].sort()).toEqual(INSTANCES.toSorted()), { seconds: 5 });

  // One is gone from one moment to the next. Until its lease has run out nginx still knows it.
  const failures: string[] = [];
  let over = false;
  const asking = (async () => {
    while (!over) {
      await ask().catch((error: Error) => failures.push(error.message));
      await delay(200);
    }
  })();
  await target.sh('docker kill two');
  await eventually(async () => expect(await upstreams()).toHaveLength(2), { seconds: 20 });
  over = true;
  await asking;
  expect(failures).toEqual([]);
  await eventually(async () => expect([...(await served())].sort()).toEqual(['one', 'three']), { seconds: 5 });

  await target.sh('docker start two');
  await eventually(async () => expect(await upstreams()).toHaveLength(3), { seconds: 15 });
});
