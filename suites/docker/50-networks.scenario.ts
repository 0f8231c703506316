import { eventually, expect, type ScenarioTarget } from 'multiarch-harness';
import { type Engine, test } from './engine.ts';

const SERVE = '/bin/busybox httpd -f -p 80 -h /etc';

async function addressOf(engine: Engine, container: string, network: string): Promise<string> {
  return (await engine.container(container)).NetworkSettings.Networks[network]!.IPAddress;
}

/** What a container gets from another's server, within three seconds: a packet that is dropped has no answer. */
function fetchFrom(target: ScenarioTarget, container: string, host: string) {
  return target.exec(`docker exec ${container} /bin/busybox timeout 3 /bin/busybox wget -q -O - http://${host}/origin`);
}

test('containers of a network find each other by name, and nobody else finds them', async ({
  target,
  engine,
  stack,
}) => {
  await target.sh(`docker network create --subnet 10.91.0.0/24 red && docker network create blue &&
    docker run --detach --name a --network red --network-alias front --ip 10.91.0.40 --publish 5443:80 tool:1 ${SERVE} &&
    docker run --detach --name b --network red tool:1 &&
    docker run --detach --name c --network blue tool:1`);
  const answered = { exitCode: 0, stdout: 'image\n' };
  for (const host of ['a', 'front', '10.91.0.40', (await engine.container('a')).Id.slice(0, 12)])
    expect(await fetchFrom(target, 'b', host), host).toMatchObject(answered);

  // From another network neither the name is known nor is there a way to the address.
  expect((await fetchFrom(target, 'c', 'a')).stderr).toContain("bad address 'a'");
  expect((await fetchFrom(target, 'c', '10.91.0.40')).exitCode).not.toBe(0);
  await target.sh('docker network connect red c');
  expect(await fetchFrom(target, 'c', 'a')).toMatchObject(answered);
  await target.sh('docker network disconnect red c');
  expect((await fetchFrom(target, 'c', '10.91.0.40')).exitCode).not.toBe(0);

  // A published port is reached from outside of the machine.
  const text = await eventually(async () => (await fetch(stack.url('registry', '/origin'))).text(), { seconds: 3 });
  expect(text).toBe('image\n');
  await target.sh('docker stop --time 0 a');
  await expect(fetch(stack.url('registry', '/origin'))).rejects.toThrow();
  expect((await target.exec('docker network rm red')).stderr).toContain('has active endpoints');
});

test("the machine's network, none at all, and the bridge that has no names", async ({ target, engine }) => {
  const devices = (network: string) =>
    target.sh(`docker run --rm --network ${network} tool:1 /bin/busybox ls /sys/class/net`);
  expect((await devices('host')).split('\n')).toEqual((await target.sh('ls /sys/class/net')).split('\n'));
  expect(await devices('none')).toBe('lo');

  await target.sh(`docker run --detach --name x tool:1 ${SERVE} && docker run --detach --name y tool:1`);
  const address = await addressOf(engine, 'x', 'bridge');
  expect(address).toMatch(/^172\.17\.0\.\d+$/);
  expect(await fetchFrom(target, 'y', address)).toMatchObject({ exitCode: 0, stdout: 'image\n' });
  expect((await fetchFrom(target, 'y', 'x')).stderr).toContain("bad address 'x'");
});
