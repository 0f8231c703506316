import { mkdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { tempFiles } from '../../testing/temp-files.ts';
import { createNetwork, networkEvidence } from './cluster-network.ts';

test('machines with a system have addresses and names; all have a cable, and are in the evidence', async () => {
  await using files = await tempFiles();
  const sockets = join(files.folder, 's');
  await mkdir(sockets);
  const nodes = [{ name: 'ctl', arch: 'amd64' }] as const;
  const network = await createNetwork(nodes, [{ name: 'm1', arch: 'arm64' }], sockets);
  try {
    expect(network.place('ctl')).toMatchObject({ address: '10.77.0.11/24', hosts: ['10.77.0.11 ctl'] });
    expect(network.place('m1')).toBeUndefined();
    const macs = [network.cable('ctl'), network.cable('m1')].map(({ mac }) => mac);
    expect(macs).toEqual(['52:54:00:77:00:0b', '52:54:00:77:00:0c']);
    const kept = await networkEvidence(network, files.folder);
    expect(kept.map((file) => relative(files.folder, file))).toEqual(['lan.json', 'ctl/lan.pcap', 'm1/lan.pcap']);
    expect(Object.keys(JSON.parse(await readFile(kept[0]!, 'utf8')))).toEqual(['ctl', 'm1']);
    expect((await readFile(kept[2]!)).length).toBe(24);
  } finally {
    await network[Symbol.asyncDispose]();
  }
});
