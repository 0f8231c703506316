import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { identify, isAlive } from '../../base/process.ts';
import { collectGarbage, openLease } from './lease.ts';

let state: string;
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'harness-state-'));
});
afterEach(() => rm(state, { recursive: true, force: true }));

const gone = { pid: 2 ** 22 - 1, startTime: 'another boot:1' };
const owned = (owner: object) =>
  `${JSON.stringify({ kind: 'owner', run: 'r1', folder: '/runs/r1', owner, at: 'now' })}\n`;
const leaseFile = async (text: string) => {
  await mkdir(join(state, 'leases'), { recursive: true });
  await writeFile(join(state, 'leases', 'r1.jsonl'), text);
};

test('what a dead run left is removed: processes by their identity, paths, and the lease last', async () => {
  const child = spawn('sleep', ['60']);
  const ended = once(child, 'exit');
  const identity = identify(child.pid!)!;
  const overlay = join(state, 'overlay');
  await writeFile(overlay, '');
  // A process with the right number and another start is a stranger.
  const stranger = { kind: 'process', pid: process.pid, startTime: 'another boot:1', what: 'stranger' };
  await leaseFile(owned(gone));
  const lines = [{ kind: 'process', ...identity, what: 'qemu' }, stranger, { kind: 'path', path: overlay }];
  await appendFile(
    join(state, 'leases', 'r1.jsonl'),
    `${lines.map((line) => JSON.stringify(line)).join('\n')}\n{"kind":"pa`,
  );

  const dry = await collectGarbage(state, { includeKept: false, dryRun: true });
  expect(isAlive(identity)).toBe(true);
  const [collected] = await collectGarbage(state, { includeKept: false });
  expect(isAlive(identity)).toBe(false);
  await ended;
  expect(collected).toEqual({
    run: 'r1',
    folder: '/runs/r1',
    state: 'collected',
    processes: [`qemu (process ${identity.pid})`],
    paths: [overlay],
    elsewhere: [],
    failed: [],
  });
  expect(dry).toEqual([collected]);
  await expect(stat(overlay)).rejects.toThrow('ENOENT');
  expect(await readdir(join(state, 'leases'))).toEqual([]);
});

test('a run that goes on is left alone', async () => {
  const lease = openLease(state, 'r2', '/runs/r2');
  lease.register({ kind: 'path', path: join(state, 'leases') });
  expect(await collectGarbage(state, { includeKept: true })).toMatchObject([{ run: 'r2', state: 'running' }]);
  expect(await readdir(join(state, 'leases'))).toEqual(['r2.jsonl']);
  await lease.end();
  expect(await readdir(join(state, 'leases'))).toEqual([]);
});

test('kept targets go only when they are asked for', async () => {
  await leaseFile(`${owned(gone)}{"kind":"kept","cell":"arm64/vm/web"}\n`);
  expect(await collectGarbage(state, { includeKept: false })).toMatchObject([{ state: 'kept' }]);
  expect(await collectGarbage(state, { includeKept: true })).toMatchObject([{ state: 'collected' }]);
});

test('what is elsewhere is ended by its command, the last one of a name, and again when that failed', async () => {
  const ended = join(state, 'ended');
  const entry = (id: string, script: string, env = {}) => ({
    kind: 'command',
    id,
    argv: ['sh', '-c', script, 'end', ended],
    env,
    what: id,
  });
  const lines = [
    entry('cloud', 'echo too early >> "$1"'),
    entry('cloud', 'echo "$WHICH" >> "$1"', { WHICH: 'i-17' }),
    entry('gone', 'test -e "$1".there'),
  ];
  await leaseFile(`${owned(gone)}${lines.map((line) => JSON.stringify(line)).join('\n')}\n`);

  const [first] = await collectGarbage(state, { includeKept: false });
  expect(first).toMatchObject({ elsewhere: ['cloud'], failed: [expect.stringContaining('cannot remove gone')] });
  await writeFile(`${ended}.there`, '');
  const [second] = await collectGarbage(state, { includeKept: false });
  expect(second).toMatchObject({ elsewhere: ['gone', 'cloud'], failed: [] });
  expect(await readFile(ended, 'utf8')).toBe('i-17\ni-17\n');
  expect(await readdir(join(state, 'leases'))).toEqual([]);
});

test('what an engine holds that does not answer stays in the lease, and so does what could not be released', async () => {
  const engine = { host: `unix://${state}/docker.sock`, portsAt: '127.0.0.1' };
  const lease = openLease(state, 'r1', '/runs/r1');
  lease.register({ kind: 'engine', engine });
  lease.leaveBehind();
  await lease.end();
  const file = join(state, 'leases', 'r1.jsonl');
  const left = await readFile(file, 'utf8');
  expect(left).toContain('"kind":"engine"');

  await writeFile(file, left.replace(/"pid":\d+/, `"pid":${gone.pid}`));
  for (const _ of ['once', 'again'])
    expect(await collectGarbage(state, { includeKept: false })).toMatchObject([
      { state: 'collected', failed: [expect.stringMatching(/cannot clean up on .*remove .*r1\.jsonl$/)] },
    ]);
  await rm(file);
});
