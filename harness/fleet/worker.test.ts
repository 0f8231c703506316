import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { tempFiles } from '../testing/temp-files.ts';
import { packTree } from './tree.ts';
import { workerArgv, writeWorker } from './worker.ts';

/** A harness that says what it was given, and where it is. */
const STUB = `while [ "$1" != --into ]; do shift; done
trap 'echo ended >>"$2/events.jsonl"; exit 130' TERM
echo '{"said":1}' >"$2/events.jsonl"
cat hello.txt >>"$2/events.jsonl"
[ -e wait ] && { sleep 60 & wait $!; }
exit 1
`;

test.each([
  ['moved', true],
  ['shared', false],
])('an attempt in a %s tree: its events, what it ended with, its node, and never twice', async (_, moves) => {
  await using files = await tempFiles({ 'tree/hello.txt': 'hello\n', 'tree/stub.sh': STUB, 'sandbox/.keep': '' });
  const place = join(files.folder, 'place');
  const cwd = join(files.folder, 'sandbox');
  await writeWorker(place, moves);
  const folder = join(files.folder, 'tree');
  const tree = moves ? await packTree(folder) : folder;
  if (moves) {
    await rename(tree, join(cwd, 'tree.tar'));
    await rename(join(place, 'worker.sh'), join(cwd, 'worker.sh'));
  }
  const part = moves ? 'part/1' : join(cwd, 'part/1');
  const [program, ...args] = workerArgv({ place, tree, program: ['sh', 'stub.sh'] }, part, [], moves);
  const env = { HARNESS_NODE: 'n7', HARNESS_STATE: join(files.folder, 'state') };
  const work = () => execa(program!, args, { cwd, env, reject: false });
  const { exitCode, stdout } = await work();
  expect(exitCode).toBe(1);
  const file = (name: string) => readFile(join(cwd, 'part/1', name), 'utf8');
  expect(await file('events.jsonl')).toBe('{"said":1}\nhello\n');
  expect(stdout).toBe(moves ? '{"said":1}\nhello' : '');
  expect([await file('exit'), await file('node')]).toEqual(['1\n', 'n7\n']);
  const again = await work();
  expect([again.exitCode, again.stdout]).toEqual([0, '']);
});

test('a signal reaches the harness, and what it says then is printed', async () => {
  await using files = await tempFiles({ 'tree/hello.txt': '', 'tree/wait': '', 'tree/stub.sh': STUB });
  const place = files.folder;
  await writeWorker(place, true);
  const tree = await packTree(join(files.folder, 'tree'));
  await rename(join(files.folder, 'tree'), join(files.folder, 'packed'));
  const [program, ...args] = workerArgv({ place, tree, program: ['sh', 'stub.sh'] }, 'part/1', [], true);
  const running = execa(program!, args, {
    cwd: place,
    env: { HARNESS_STATE: join(place, 'state') },
    reject: false,
  });
  // Once: what it prints when it ends is no reason to signal it again.
  running.stdout.once('data', () => running.kill('SIGTERM'));
  const { exitCode, stdout } = await running;
  expect([exitCode, stdout]).toEqual([130, '{"said":1}\nended']);
});
