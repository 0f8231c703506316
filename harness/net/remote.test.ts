import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createLan } from './lan.ts';
import { remoteLan, serveLan } from './remote.ts';

test('another process changes a LAN over a socket, and gets the error of a wrong request', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'harness-lan-'));
  await using lan = createLan();
  await lan.plug('n1', join(folder, 'n1'));
  await lan.plug('n2', join(folder, 'n2'));
  const path = join(folder, 'control');
  await using _served = await serveLan(lan, path);
  const remote = remoteLan(path);
  await remote.partition(['n1'], ['n2']);
  await remote.impair('n1', { delayMs: 5 });
  await remote.heal();
  expect(Object.keys(await remote.counters())).toEqual(['n1', 'n2']);
  await expect(remote.partition(['n3'])).rejects.toThrow('cannot cut n3 off: the LAN has n1, n2');
  await expect(remoteLan(join(folder, 'none')).heal()).rejects.toThrow('ENOENT');
  await rm(folder, { recursive: true, force: true });
});
