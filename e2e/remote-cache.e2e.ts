import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { retryUntil } from '../harness/base/time.ts';
import { type BuildRequest, cached, entryOf } from '../harness/images/cache.ts';
import { openRemote } from '../harness/images/remote/open.ts';
import { tempFiles } from '../harness/testing/temp-files.ts';
import { freePorts } from './support/ports.ts';

test("a registry of containers' images is a cache behind those of many machines, and one that is down is a warning", async () => {
  await using files = await tempFiles();
  const [port] = await freePorts(1);
  const address = `127.0.0.1:${port}`;
  const config = {
    version: 0.1,
    storage: { filesystem: { rootdirectory: join(files.folder, 'registry') } },
    http: { addr: address },
  };
  // JSON is YAML.
  await writeFile(join(files.folder, 'config.yml'), JSON.stringify(config));
  const registry = spawn('docker-registry', ['serve', join(files.folder, 'config.yml')], { stdio: 'ignore' });
  try {
    await retryUntil(async () => expect((await fetch(`http://${address}/v2/`)).status).toBe(200), {
      deadlineMs: 20_000,
    });
    const remote = openRemote(`oci://${address}/lab/harness`);
    const warnings: string[] = [];
    const request = (machine: string, writes: boolean): BuildRequest => ({
      ...{ cache: join(files.folder, machine), kind: 'disk', label: 'arm64 web', ingredients: 'web', needBytes: 0 },
      remote: { remote, writes },
      warn: (warning) => warnings.push(warning),
    });
    const build = async (folder: string) => writeFile(join(folder, 'disk.qcow2'), Buffer.alloc(3 * 2 ** 20, 'disk'));
    const first = await cached(request('one', true), build);
    const second = await cached(request('two', false), () => Promise.reject(new Error('it was built')));
    expect([first.hit, second.hit, second.key, warnings]).toEqual([false, true, first.key, []]);
    // The first to put a key wins.
    await remote.put({ ...first, folder: join(files.folder, 'none') });
    expect(await entryOf(join(files.folder, 'three'), 'disk', '0'.repeat(20), request('three', false))).toBe(undefined);
    expect(warnings).toEqual([]);
    const ended = new Promise((resolve) => registry.once('exit', resolve));
    registry.kill();
    await ended;
    const third = await cached(request('four', true), build);
    expect(third.hit).toBe(false);
    expect(warnings.map((warning) => warning.split(' ').slice(0, 2).join(' '))).toEqual(['cannot take', 'cannot put']);
  } finally {
    registry.kill();
  }
});
