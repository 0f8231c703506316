import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { InfraError } from '../base/errors.ts';
import { reconnect } from './reconnect.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'harness-handle-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const facts = {
  arch: 'arm64',
  kind: 'command',
  accelerator: 'native',
  cpu: 'Neoverse-N1',
  vcpus: 2,
  memoryBytes: 2 ** 30,
};

/** A command's machine after its run has ended: nobody has a connection any more. */
const left = (reconnectCommand: string) => ({
  kind: 'command',
  address: {
    destination: 'me@old',
    options: ['-p', '22'],
    socket: join(folder, 'ssh'),
    name: 'cloud-1',
    onlyKept: true,
  },
  asRoot: ['sudo', '-n'],
  ports: {},
  facts,
  can: ['root'],
  undoFolder: '/var/lib/multiarch-harness/place-0',
  poweredOff: join(folder, 'powered-off'),
  bootDeadlineMs: 60_000,
  again: {
    argv: ['sh', '-c', reconnectCommand],
    env: { HARNESS_NAME: 'cloud-1', HARNESS_ADDRESS: 'ssh://me@old:22' },
    where: 'machines.yaml:3:3',
    options: ['-i', '/keys/cloud'],
  },
});

describe('a machine that commands make', () => {
  test('is found by its `reconnect`, at the address that it prints', async () => {
    const asked = join(folder, 'asked');
    const target = await reconnect(left(`echo "$HARNESS_NAME $HARNESS_ADDRESS" >>${asked}; echo ssh://me@new:2222`));
    expect(await readFile(asked, 'utf8')).toBe('cloud-1 ssh://me@old:22\n');
    const argv = target!.enter(['id'], false);
    expect(argv).toContain('me@new');
    expect(argv.join(' ')).toContain('-i /keys/cloud -p 2222');
  });

  test('keeps its address if that prints nothing', async () => {
    const target = await reconnect(left('true'));
    expect(target!.enter([], false)).toContain('me@old');
  });

  test('is gone if that fails', async () => {
    expect(await reconnect(left('exit 1'))).toBeUndefined();
  });

  test('an invalid address is the fault of the command', async () => {
    await expect(reconnect(left('echo here'))).rejects.toThrow(
      'cannot find the machine again with machines.yaml:3:3: cannot read the address "here"',
    );
  });
});

test.each([
  ['of no kind', () => ({ kind: 'cloud' }), 'at kind'],
  ['nothing at all', () => undefined, 'expected object'],
  ['of another version', () => ({ kind: 'vm', pid: 1, startTime: 'a:1' }), 'at ssh'],
  [
    'with an option for a destination',
    () => ({ ...left('true'), address: { ...left('true').address, destination: '-oProxyCommand=x' } }),
    'at address.destination',
  ],
])('what is no handle is refused, with what is wrong with it: %s', async (_, handle, why) => {
  const refused = reconnect(handle());
  await expect(refused).rejects.toThrow(InfraError);
  await expect(refused).rejects.toThrow(why);
});
