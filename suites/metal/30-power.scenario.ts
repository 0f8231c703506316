import { expect, test } from 'multiarch-harness';
import { redfish, reset } from './metal.ts';

const PATIENT = ['--retry', '5', '--retry-delay', '1'];

test('the BMC says whether a machine is on, and switches it', async ({ cluster, target }) => {
  const [{ bmc }, m1] = [cluster, cluster.blank('m1')];
  const state = async () => (await redfish(target, bmc, m1)).body['PowerState'];
  expect(await state()).toBe('Off');
  expect((await reset(target, bmc, m1, 'On')).status).toBe(204);
  expect([await state(), await m1.power()]).toEqual(['On', 'on']);
  expect((await reset(target, bmc, m1, 'ForceRestart')).status).toBe(204);
  expect(await state()).toBe('On');
  expect((await reset(target, bmc, m1, 'ForceOff')).status).toBe(204);
  expect([await state(), await m1.power()]).toEqual(['Off', 'off']);
});

test('a wrong password is refused, and nothing is switched', async ({ cluster, target }) => {
  const m1 = cluster.blank('m1');
  const wrong = { ...cluster.bmc, fault: cluster.bmc.fault, requests: cluster.bmc.requests, password: 'wrong' };
  expect((await reset(target, wrong, m1, 'On')).status).toBe(401);
  expect(await m1.power()).toBe('off');
});

test('a BMC that answers 500 three times is asked again', async ({ cluster, target }) => {
  const { bmc } = cluster;
  const m1 = cluster.blank('m1');
  const before = await bmc.requests();
  await bmc.fault('m1', { status: 500, times: 3 });
  expect((await redfish(target, bmc, m1, { options: PATIENT })).status).toBe(200);
  expect((await bmc.requests()) - before).toBe(4);
});

test('a BMC that hangs is given up', async ({ cluster, target }) => {
  await cluster.bmc.fault('m1', { hang: true, times: 1 });
  expect((await redfish(target, cluster.bmc, cluster.blank('m1'), { options: ['-m', '3'] })).status).toBe(0);
});

test('what a machine boots from is chosen for its next start only', async ({ cluster, target }) => {
  const [{ bmc }, m1] = [cluster, cluster.blank('m1')];
  const boots = async () => (await redfish(target, bmc, m1)).body['Boot'];
  const once = JSON.stringify({ Boot: { BootSourceOverrideTarget: 'Hdd', BootSourceOverrideEnabled: 'Once' } });
  const chosen = await redfish(target, bmc, m1, {
    options: ['-X', 'PATCH', '-H', 'Content-Type: application/json', '-d', once],
  });
  expect(chosen.status).toBe(204);
  expect(await boots()).toMatchObject({ BootSourceOverrideTarget: 'Hdd', BootSourceOverrideEnabled: 'Once' });
  await reset(target, bmc, m1, 'On');
  expect(await boots()).toMatchObject({ BootSourceOverrideTarget: 'None', BootSourceOverrideEnabled: 'Disabled' });
  await reset(target, bmc, m1, 'ForceOff');
});
