import { homedir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../base/errors.ts';
import { parseAddress } from '../../targets/ssh/address.ts';
import { rejection, tempFiles } from '../../testing/temp-files.ts';
import { loadInventory } from './machines.ts';
import { findProject } from './project.ts';

const load = async (text: string) => {
  await using files = await tempFiles({ 'machines.yaml': text, 'suites/a': '' });
  return await loadInventory(await findProject(files.folder), { cwd: files.folder });
};

/** The mistakes of the entries that were left out. */
async function mistakeIn(text: string): Promise<string> {
  const { problems } = await load(text);
  return Object.values(problems)
    .map(({ message }) => message)
    .join('\n');
}

describe('loadInventory', () => {
  test('a mistake in one entry does not affect the others', async () => {
    const text = 'machines: { a: { address: "x:22" }, b: { address: y } }\ncommands: { c: { arch: [amd64] } }\n';
    const { machines, commands, problems } = await load(text);
    expect([Object.keys(machines), Object.keys(commands), Object.keys(problems)]).toEqual([
      ['b'],
      [],
      ['machines', 'commands'],
    ]);
  });

  test('a file named on the command line has to be readable', async () => {
    await using files = await tempFiles({ 'lab.yaml': 'machine: {}\n', 'suites/a': '' });
    const loading = loadInventory(await findProject(files.folder), { file: 'lab.yaml', cwd: files.folder });
    expect(await rejection(loading)).toContain('lab.yaml:1:1: unknown key "machine"');
  });

  test('machines and commands, with files relative to the inventory', async () => {
    await using files = await tempFiles({
      'lab/machines.yaml': `ssh-config: ssh_config
machines:
  pi4: { address: pi4.local, user: tester, port: 2222, arch: aarch64, key: keys/pi4, tags: [lab] }
  power: { address: p9, power: { off: [ipmi, off], on: ipmi on } }
  redfish: { address: p9, power: { redfish: "https://p9-bmc", user: admin, password-file: bmc.secret, ca: ca.pem } }
  ipmi: { address: p9, power: { ipmi: p9-bmc, user: admin, password-file: ~/bmc.secret } }
commands:
  cloud: { arch: [ppc64el], acquire: ./up, release: [./down, now] }
`,
    });
    const cwd = join(files.folder, 'lab');
    const inventory = await loadInventory(await findProject(cwd), { file: 'machines.yaml', cwd });
    expect(inventory).toMatchObject({
      name: 'machines.yaml',
      sshConfig: join(cwd, 'ssh_config'),
      machines: {
        pi4: { address: 'pi4.local', user: 'tester', port: 2222, arch: 'arm64', key: join(cwd, 'keys/pi4'), cells: 1 },
        power: { address: 'p9', power: { off: ['ipmi', 'off'], on: ['sh', '-c', 'ipmi on'] } },
        redfish: {
          power: {
            ...{ redfish: 'https://p9-bmc', user: 'admin' },
            passwordFile: join(cwd, 'bmc.secret'),
            ca: join(cwd, 'ca.pem'),
          },
        },
        ipmi: { power: { ipmi: 'p9-bmc', user: 'admin', passwordFile: join(homedir(), 'bmc.secret') } },
      },
      commands: { cloud: { arch: ['ppc64le'], acquire: ['sh', '-c', './up'], release: ['./down', 'now'] } },
    });
    expect(inventory.whereIs('machines', 'power')).toBe('machines.yaml:4:3');
  });

  test.each([
    ['::1', '::1'],
    ['fe80::1%eth0', 'fe80::1%eth0'],
    ['[fe80::1%eth0]', 'fe80::1%eth0'],
    ['2001:db8::2', '2001:db8::2'],
    ['::ffff:10.0.0.1', '::ffff:10.0.0.1'],
    ['10.0.0.1', '10.0.0.1'],
    ['pi4.local', 'pi4.local'],
  ])('the address %s', async (written, read) => {
    const { machines } = await load(`machines: { a: { address: "${written}" } }`);
    expect(machines['a']?.address).toBe(read);
  });

  test('without an inventory there are no machines', async () => {
    await using files = await tempFiles({ 'suites/a': '' });
    expect(await loadInventory(await findProject(files.folder))).toMatchObject({ machines: {}, commands: {} });
  });

  test.each([
    ['machines: { a: { addres: x } }', 'machines.yaml:1:18: unknown key "addres"'],
    [
      'machines:\n  a: { address: -oProxyCommand=x }',
      'machines.yaml:2:17: machines.a.address is "-oProxyCommand=x", expected a host',
    ],
    ...['pi4:2222', '10.0.0.1:22', '[::1]:2222'].map((address): [string, string] => [
      `machines:\n  a: { address: "${address}" }`,
      `machines.yaml:2:17: machines.a.address is "${address}", expected a host: a name, an address, or a Host of ssh_config; give its port beside it, as \`port: ${address.split(':').at(-1)}\``,
    ]),
    ...['pi4:', 'a:b:c', '[::1', 'a%b', ':', '::g', '[pi4]'].map((address): [string, string] => [
      `machines:\n  a: { address: "${address}" }`,
      `machines.yaml:2:17: machines.a.address is "${address}", expected a host: a name`,
    ]),
    [
      'machines:\n  a: { address: b, user: -l }',
      'machines.yaml:2:26: machines.a.user is "-l", expected the name of a user',
    ],
    ['machines:\n  a: { address: b, arch: amd46 }', 'unknown architecture "amd46"'],
    ['commands:\n  c: { arch: [amd64], acquire: up }', 'machines.yaml:2:6: missing key "release"'],
  ])('%s', async (text, message) => {
    expect(await mistakeIn(text)).toContain(message);
  });
});

describe('parseAddress', () => {
  test('user and port may be left out', () => {
    expect(parseAddress('ssh://tester@pi4.local:2222')).toEqual({ user: 'tester', host: 'pi4.local', port: 2222 });
    expect(parseAddress('ssh://[fe80::1]/')).toEqual({ host: 'fe80::1' });
  });

  test('an address cannot be an option of ssh, nor contain shell syntax', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const read = () => parseAddress(text.startsWith('ssh://') ? text : `ssh://${text}`);
        try {
          const { user = '', host } = read();
          expect(`${user}${host}`).toMatch(/^[A-Za-z0-9_.:%-]+$/);
          expect(host.startsWith('-')).toBe(false);
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
        }
      }),
    );
    for (const text of ['ssh://-oProxyCommand=x', 'ssh://a:0', 'ssh://a:70000', 'http://a', 'ssh://a b', 'ssh://'])
      expect(() => parseAddress(text), text).toThrow(ConfigError);
  });
});

describe('engines', () => {
  const lab = (more: string) => `engines:\n  lab:\n    kind: slurm\n    shared: /lustre/x\n${more}`;

  test('architectures in any spelling, and a folder with variables', async () => {
    process.env['FLEET_TEST_USER'] = 'ada';
    const { engines } = await load(
      'engines: { lab: { kind: slurm, shared: "/lustre/$FLEET_TEST_USER/harness", arch: { aarch64: "arm64&kvm" } } }\n',
    );
    delete process.env['FLEET_TEST_USER'];
    expect(engines['lab']).toEqual({
      ...{
        kind: 'slurm',
        shared: '/lustre/ada/harness',
        arch: { arm64: 'arm64&kvm' },
        options: [],
        'poll-seconds': 2,
        'cache-put': true,
      },
    });
  });

  test.each([
    ['    partition: ci\n', 'machines.yaml:5:5: unknown key "partition", expected one of kind, shared'],
    ['    arch: { x: kvm }\n', 'machines.yaml:5:13'],
    ['    minutes: 0\n', 'machines.yaml:5:14'],
  ])('a mistake is an error at its line: %s', async (more, expected) => {
    expect(await mistakeIn(lab(more))).toContain(expected);
  });

  test.each([
    ['a kind that there is not', 'kind: slrum, shared: /x', 'lab.kind is "slrum", expected one of slurm, htcondor'],
    ['a key that this kind needs', 'kind: slurm', 'missing key "shared" in engines.lab'],
    ['a key of this kind', 'kind: htcondor, lease-seconds: 1', 'engines.lab.lease-seconds is 1, expected at least 20'],
  ])('%s is named', async (_, entry, expected) => {
    expect(await mistakeIn(`engines: { lab: { ${entry} } }\n`)).toContain(expected);
  });

  test('one that moves files itself needs no shared folder', async () => {
    const { engines } = await load('engines: { pool: { kind: htcondor } }\n');
    expect(engines['pool']).toMatchObject({ 'lease-seconds': 300, shared: expect.stringMatching(/^\/.*fleet$/) });
  });
});
