import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { rejection, tempFiles } from '../testing/temp-files.ts';
import { type PowerState, switchPower } from './bmc.ts';
import { type Patience, redfish } from './redfish.ts';
import { serveRedfish } from './service.ts';
import type { RedfishPower } from './spec.ts';

const QUICK = { againMs: [1, 1, 1] } satisfies Patience;

/** Machines behind a virtual BMC, and the way to it. */
async function bench(names: readonly string[] = ['m1'], tls?: { cert: string; key: string }) {
  const folder = await tempFiles();
  const passwordFile = join(folder.folder, 'password');
  await writeFile(passwordFile, 'secret\n');
  const states = Object.fromEntries(names.map((name): [string, PowerState] => [name, 'off']));
  const set = (name: string, state: PowerState): void => {
    states[name] = state;
  };
  const service = await serveRedfish({
    user: 'admin',
    password: 'secret',
    systems: Object.fromEntries(
      names.map((name) => [
        name,
        {
          state: () => states[name]!,
          on: async () => set(name, 'on'),
          off: async () => set(name, 'off'),
        },
      ]),
    ),
    ...(tls ? { tls } : {}),
  });
  const spec: RedfishPower = { redfish: service.url, user: 'admin', passwordFile };
  return {
    states,
    service,
    spec,
    bmc: (more: Partial<RedfishPower> = {}) => redfish({ ...spec, ...more }, QUICK),
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

test('power is switched and asked for; a machine that has the state is left alone', async () => {
  await using one = await bench();
  const bmc = one.bmc();
  expect(await bmc.state!()).toBe('off');
  await switchPower(bmc, 'on');
  expect([one.states['m1'], await bmc.state!()]).toEqual(['on', 'on']);
  const before = one.service.requests;
  await switchPower(bmc, 'on');
  expect(one.service.requests).toBe(before + 1);
  await switchPower(bmc, 'off');
  expect(one.states['m1']).toBe('off');
});

test('of several systems one is named, by its Id or its path', async () => {
  await using several = await bench(['m1', 'm2']);
  await switchPower(several.bmc({ system: 'm2' }), 'on');
  await switchPower(several.bmc({ system: '/redfish/v1/Systems/m1/' }), 'on');
  expect(several.states).toEqual({ m1: 'on', m2: 'on' });
  await expect(several.bmc().state!()).rejects.toMatchObject({
    message: `cannot tell which system of the BMC ${several.service.url} is meant: it has 2`,
    hint: 'It has "m1", "m2": name one with `system:`.',
  });
  await expect(several.bmc({ system: 'm3' }).state!()).rejects.toThrow('none or several are "m3"');
});

test('a wrong password is an error at once that names URL, status and file', async () => {
  await using one = await bench();
  await writeFile(one.spec.passwordFile, 'wrong\n');
  await expect(one.bmc().state!()).rejects.toMatchObject({
    message: `cannot ask the BMC at ${one.service.url}/redfish/v1/Systems: it answers 401, the user or the password is wrong`,
    hint: `It refuses the user admin: compare the password in ${one.spec.passwordFile}.`,
  });
  expect(one.service.requests).toBe(1);
});

test('a controller that is busy is asked again, and not for ever', async () => {
  await using one = await bench();
  one.service.fault('m1', { status: 500, times: 3 });
  expect(await one.bmc().state!()).toBe('off');
  one.service.fault('m1', { status: 503, times: 100 });
  await expect(one.bmc().state!()).rejects.toThrow(
    `cannot ask the BMC at ${one.service.url}/redfish/v1/Systems/m1: it answers 503, a fault was asked for`,
  );
});

test('a controller that never answers, or is not there', async () => {
  await using one = await bench();
  one.service.fault('m1', { hang: true, times: 100 });
  const hasty = redfish(one.spec, { ...QUICK, askMs: 300 });
  await expect(hasty.state!()).rejects.toThrow(/cannot reach the BMC at .*: no answer within 0\.3 s/);
  const { url } = one.service;
  await one.service[Symbol.asyncDispose]();
  await expect(redfish({ ...one.spec, redfish: url }, QUICK).state!()).rejects.toThrow(/cannot reach.*ECONNREFUSED/);
});

test('what it says is never believed: no JSON, strange shapes, other places, escape sequences', async () => {
  await using one = await bench();
  const says = [
    'no json',
    '[]',
    '{"Members":[{"@odata.id":"https://elsewhere.example/x"}]}',
    '{"Members":[{"@odata.id":7}]}',
  ];
  const found: string[] = [];
  for (const text of says) {
    const server = createServer((_, response) => response.end(text)).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const said = await rejection(redfish({ ...one.spec, redfish: url }, QUICK).state!());
    found.push(said.replaceAll(url, 'URL'));
    server.close();
  }
  expect(found).toEqual([
    'cannot ask the BMC at URL/redfish/v1/Systems: its answer is no JSON',
    'cannot tell which system of the BMC URL is meant: it has 0',
    'cannot ask the BMC URL: it sends us elsewhere, to https://elsewhere.example',
    'cannot tell which system of the BMC URL is meant: it has 0',
  ]);
});

test('TLS: by a CA or by a fingerprint, and never unchecked', async () => {
  await using folder = await tempFiles();
  const [key, cert] = [join(folder.folder, 'key.pem'), join(folder.folder, 'cert.pem')];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  await execa('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject]);
  const printed = await execa('openssl', ['x509', '-in', cert, '-noout', '-fingerprint', '-sha256']);
  const fingerprint = printed.stdout.split('=')[1]!;
  const tls = { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') };
  await using one = await bench(['m1'], tls);
  expect(await one.bmc({ ca: cert }).state!()).toBe('off');
  await switchPower(one.bmc({ fingerprint: fingerprint.toLowerCase() }), 'on');
  expect(one.states['m1']).toBe('on');
  const before = one.service.requests;
  await expect(one.bmc().state!()).rejects.toThrow(/cannot reach the BMC at .*self-signed certificate/);
  // The other one differs in every byte, whatever this one is.
  const other = fingerprint.replace(/[0-9A-F]/g, (digit) => (digit === '0' ? '1' : '0'));
  await expect(one.bmc({ fingerprint: other }).state!()).rejects.toThrow(
    `has the fingerprint ${fingerprint.toUpperCase()}, not ${other}`,
  );
  expect(one.service.requests).toBe(before);
});

test('a password file that is empty or absent', async () => {
  await using one = await bench();
  await writeFile(one.spec.passwordFile, '\nsecret\n');
  await expect(one.bmc().state!()).rejects.toThrow(`the first line of ${one.spec.passwordFile} is empty`);
  await expect(one.bmc({ passwordFile: '/nonexistent' }).state!()).rejects.toThrow(
    /cannot read the password of the BMC: ENOENT/,
  );
});
