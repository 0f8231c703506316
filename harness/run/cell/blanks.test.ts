import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { BootSource, PowerState } from '../../bmc/bmc.ts';
import type { BlankCellNode } from '../../matrix/nodes.ts';
import type { BlankMachine } from '../../targets/blank.ts';
import { remoteBlank, remoteBmc } from '../../targets/blank-remote.ts';
import { tempFiles } from '../../testing/temp-files.ts';
import { startBlanks } from './blanks.ts';

/** A blank machine that consists of its state. */
function inMemory(name: string, ended: string[]): BlankMachine {
  let state: PowerState = 'off';
  let once: BootSource | undefined;
  const set = (to: PowerState) => async () => {
    state = to;
  };
  return {
    name,
    mac: '52:54:00:77:00:0c',
    power: async () => state,
    on: set('on'),
    off: set('off'),
    reset: () => Promise.reject(new Error(`cannot reset ${name}`)),
    nextBoot: async (from, only = false) => {
      once = only ? from : undefined;
    },
    bootsOnceFrom: () => once,
    consoleTail: async (lines) => [`${name} says ${lines}`],
    renew: set('off'),
    leave() {},
    died: new Promise(() => {}),
    [Symbol.asyncDispose]: async () => void ended.push(name),
  };
}

const node = (name: string): BlankCellNode => ({ name, arch: 'amd64', blank: { disk: 64, memory: 64 } });

test('other processes switch blank machines and ask their BMC, until they are ended', async () => {
  await using files = await tempFiles();
  const sockets = { control: join(files.folder, 'blanks'), bmc: join(files.folder, 'bmc') };
  const ended: string[] = [];
  const blanks = await startBlanks([node('m1'), node('m2')], async ({ name }) => inMemory(name, ended), sockets);
  const m1 = remoteBlank(blanks.socket, 'm1');
  await m1.nextBoot('disk', true);
  expect([await m1.power(), blanks.machines[0]?.bootsOnceFrom(), blanks.used]).toEqual(['off', 'disk', false]);
  await m1.on();
  expect([await m1.power(), await remoteBlank(blanks.socket, 'm2').power(), blanks.used]).toEqual(['on', 'off', true]);
  expect(await m1.consoleTail(3)).toEqual(['m1 says 3']);
  await expect(m1.reset()).rejects.toThrow('cannot reset m1');
  await expect(remoteBlank(blanks.socket, 'm3').on()).rejects.toThrow('there is no blank node m3');
  expect(await remoteBmc(blanks.socket).requests()).toBe(0);
  await blanks[Symbol.asyncDispose]();
  expect(ended).toEqual(['m1', 'm2']);
});

test('where one cannot be made, those before it are ended', async () => {
  await using files = await tempFiles();
  const ended: string[] = [];
  const make = async ({ name }: BlankCellNode) =>
    name === 'm2' ? Promise.reject(new Error('no firmware')) : inMemory(name, ended);
  const sockets = { control: join(files.folder, 'blanks'), bmc: join(files.folder, 'bmc') };
  await expect(startBlanks([node('m1'), node('m2')], make, sockets)).rejects.toThrow('no firmware');
  expect(ended).toEqual(['m1']);
});
