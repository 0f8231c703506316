import { deadlineMs, eventually, expect, type ScenarioTarget } from 'multiarch-harness';
import { type Engine, test } from './engine.ts';

const SERVE = '/bin/busybox httpd -f -p 80 -h /etc';

async function addressOf(engine: Engine, container: string, network: string): Promise<string> {
  return (await engine.container(container)).NetworkSettings.Networks[network]!.IPAddress;
}

/** Native seconds in which a server answers that is reached at all; a packet that is dropped has no answer. */
const ANSWER_SECONDS = 0.5;

/** What a container gets from another's server. */
function fetchFrom(target: ScenarioTarget, container: string, host: string) {
  const seconds = Math.ceil(Math.max(3, deadlineMs(ANSWER_SECONDS) / 1000));
  return target.exec(
    `docker exec ${container} /bin/busybox timeout ${seconds} /bin/busybox wget -q -O - http://${host}/origin`,
  );
}

test('containers of a network find each other by name, and nobody else finds them', async ({
  target,
  engine,
  stack,
}) => {
  await target.sh(`docker network create --subnet 10.91.0.0/24 red && docker network create blue &&
    docker run --detach --name alpha --network red --network-alias front --ip 10.91.0.40 --publish 5443:80 tool:1 ${SERVE} &&
    docker run --detach --name beta --network red tool:1 &&
    docker run --detach --name gamma --network blue tool:1`);
  const answered = { exitCode: 0, stdout: 'image\n' };
  for (const host of ['alpha', 'front', '10.91.0.40', (await engine.container('alpha')).Id.slice(0, 12)])
    expect(await fetchFrom(target, 'beta', host), host).toMatchObject(answered);

  // From another network neither the name is known nor is there a way to the address.
  expect((await fetchFrom(target, 'gamma', 'alpha')).exitCode).not.toBe(0);
  expect((await fetchFrom(target, 'gamma', '10.91.0.40')).exitCode).not.toBe(0);
  await target.sh('docker network connect red gamma');
  expect(await fetchFrom(target, 'gamma', 'alpha')).toMatchObject(answered);
  await target.sh('docker network disconnect red gamma');
  expect((await fetchFrom(target, 'gamma', '10.91.0.40')).exitCode).not.toBe(0);

  // A published port is reached from outside of the machine.
  const text = await eventually(async () => (await fetch(stack.url('registry', '/origin'))).text(), { seconds: 3 });
  expect(text).toBe('image\n');
  await target.sh('docker stop --time 0 alpha');
  await expect(fetch(stack.url('registry', '/origin'))).rejects.toThrow();
  expect((await target.exec('docker network rm red')).stderr).toContain('has active endpoints');
});

test("the machine's network, none at all, and the bridge that has no names", async ({ target, engine }) => {
  const list = `sed -n 's/^ *\\([^:]*\\):.*/\\1/p' /proc/net/dev`;
  const devices = (network: string) => target.sh(`docker run --rm --network ${network} tool:1 /bin/busybox ${list}`);
  const own = (await target.sh(list)).split('\n');
  expect(own).toContain('docker0');
  expect((await devices('host')).split('\n')).toEqual(own);
  expect(await devices('none')).toBe('lo');

  await target.sh(`docker run --detach --name first tool:1 ${SERVE} && docker run --detach --name second tool:1`);
  const address = await addressOf(engine, 'first', 'bridge');
  expect(address).toMatch(/^172\.17\.0\.\d+$/);
  expect(await fetchFrom(target, 'second', address)).toMatchObject({ exitCode: 0, stdout: 'image\n' });
  expect((await fetchFrom(target, 'second', 'first')).exitCode).not.toBe(0);
});
