import { request } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempFiles } from '../testing/temp-files.ts';
import type { BootSource, PowerState } from './bmc.ts';
import { type ServedSystem, serveRedfish } from './service.ts';

interface Answer {
  readonly status: number | undefined;
  readonly body: Record<string, unknown>;
}

/** A machine behind a service on a socket, and what was done to it. */
async function bench() {
  const files = await tempFiles();
  const did: string[] = [];
  let state: PowerState = 'off';
  let once: BootSource | undefined;
  const system: ServedSystem = {
    state: async () => state,
    on: async () => {
      did.push('on');
      [state, once] = ['on', undefined];
    },
    off: async () => {
      did.push('off');
      state = 'off';
    },
    reset: async () => void did.push('reset'),
    boot: {
      async choose(from, onlyOnce) {
        did.push(`${from}${onlyOnce ? ' once' : ''}`);
        once = onlyOnce ? from : undefined;
      },
      once: () => once,
      usual: 'network',
    },
  };
  const socket = join(files.folder, 'bmc');
  const service = await serveRedfish({ user: 'admin', password: 'secret', systems: { m1: system }, socket });
  const ask = (method: string, path: string, body?: object) =>
    new Promise<Answer>((resolve, reject) => {
      const asked = request({
        socketPath: socket,
        method,
        path: `/redfish/v1/Systems/m1${path}`,
        auth: 'admin:secret',
      });
      asked.once('error', reject);
      asked.once('response', async (response) => {
        let text = '';
        for await (const chunk of response) text += chunk;
        resolve({ status: response.statusCode, body: JSON.parse(text || '{}') });
      });
      asked.end(body === undefined ? '' : JSON.stringify(body));
    });
  return {
    did,
    ask,
    reset: (type: string) => ask('POST', '/Actions/ComputerSystem.Reset', { ResetType: type }),
    choose: (target: string, enabled: string) =>
      ask('PATCH', '', { Boot: { BootSourceOverrideTarget: target, BootSourceOverrideEnabled: enabled } }),
    boots: async () => {
      const { Boot } = (await ask('GET', '')).body as { Boot: Record<string, unknown> };
      return [Boot['BootSourceOverrideEnabled'], Boot['BootSourceOverrideTarget']];
    },
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      await files[Symbol.asyncDispose]();
    },
  };
}

test('what a system boots from is chosen for the next start, or until something else is', async () => {
  await using one = await bench();
  expect(await one.boots()).toEqual(['Disabled', 'None']);
  expect((await one.choose('Pxe', 'Once')).status).toBe(204);
  expect(await one.boots()).toEqual(['Once', 'Pxe']);
  await one.reset('On');
  expect(await one.boots()).toEqual(['Disabled', 'None']);
  await one.choose('Hdd', 'Continuous');
  await one.reset('ForceOff');
  await one.reset('On');
  expect(await one.boots()).toEqual(['Continuous', 'Hdd']);
  await one.choose('None', 'Disabled');
  expect(await one.boots()).toEqual(['Disabled', 'None']);
  expect(one.did).toEqual(['network once', 'on', 'disk', 'off', 'on', 'network']);
});

test('what a system cannot boot from is refused, and so is any other change', async () => {
  await using one = await bench();
  const { status, body } = await one.choose('Cd', 'Once');
  expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining('None, Pxe, Hdd')]);
  expect((await one.ask('PATCH', '', { AssetTag: 'mine' })).status).toBe(405);
  expect(one.did).toEqual([]);
});

test('a restart is one where the system is on, and a start where it is off', async () => {
  await using one = await bench();
  await one.reset('ForceRestart');
  await one.reset('ForceRestart');
  expect(one.did).toEqual(['off', 'on', 'reset']);
});
