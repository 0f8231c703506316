import { eventually, expect } from 'multiarch-harness';
import { test } from './engine.ts';

/** argv for a shell command in a container that has nothing but busybox. */
const SH = '/bin/busybox sh -c';

/**
 * Says hello to `talker` until it is heard, since what it answers before attach listens is in its log only; then bye.
 * Prints how attach ended and what it heard.
 */
const ATTACH = `cd "$(mktemp -d)" && mkfifo in
docker attach talker <in >out &
exec 3>in
until grep -q hello out; do echo hello >&3; sleep 0.3; done
echo bye >&3
wait $!
echo "$? $(sort -u out)"; rm in out`;

test('a container has one identity with two names, and can be looked into, talked to and listened to', async ({
  target,
  engine,
}) => {
  const script =
    'echo started; echo complaint >&2; while read -r word && [ "$word" != bye ]; do echo "heard $word"; done';
  const id = await target.sh(
    `docker run --detach --interactive --name talker --network none --hostname parrot --env MOOD=good --workdir /etc tool:1 ${SH} '${script}'`,
  );
  expect(id).toMatch(/^[0-9a-f]{64}$/);
  const short = id.slice(0, 12);
  expect(await target.sh('docker ps --quiet --filter name=talker')).toBe(short);
  expect(await target.sh('docker ps --quiet --no-trunc --filter name=talker')).toBe(id);
  // Any beginning that is nobody else's will do.
  for (const name of [id, short, id.slice(0, 6), 'talker']) expect((await engine.container(name)).Id).toBe(id);
  expect(await target.sh(`docker inspect --format '{{.Name}} {{.State.Status}} {{.Config.Hostname}}' ${short}`)).toBe(
    '/talker running parrot',
  );

  expect(await target.exec(['docker', 'logs', 'talker'])).toMatchObject({
    stdout: 'started\n',
    stderr: 'complaint\n',
  });
  const inside = await target.exec(`docker exec --user 33 talker ${SH} 'id -u; echo $MOOD; pwd; hostname; exit 9'`);
  expect(inside).toMatchObject({ exitCode: 9, stdout: '33\ngood\n/etc\nparrot\n' });

  // It comes to its end when it is told so, and attach with it.
  expect(await target.sh(ATTACH)).toBe('0 heard hello');
  expect(await target.sh('docker logs --tail 1 talker 2>/dev/null')).toBe('heard hello');
  expect((await engine.container('talker')).State).toMatchObject({ Status: 'exited', ExitCode: 0 });
});

test('signals arrive, and how a container ended is told', async ({ target, engine }) => {
  const script = 'trap "echo again" HUP; trap "exit 7" TERM; echo ready; while :; do sleep 1 & wait; done';
  await target.sh(`docker run --detach --name listens --network none tool:1 ${SH} '${script}'`);
  const logged = (text: string) =>
    eventually(async () => expect(await target.sh('docker logs listens')).toContain(text), { seconds: 3 });
  await logged('ready');
  await target.sh('docker kill --signal HUP listens');
  await logged('again');
  await target.sh('docker stop listens');
  expect((await engine.container('listens')).State).toMatchObject({ Status: 'exited', ExitCode: 7 });

  await target.sh('docker start listens && docker kill listens');
  expect(await target.sh('docker wait listens')).toBe('137');

  // One that does not listen is killed after its time.
  await target.sh(
    `docker run --detach --name deaf --network none tool:1 ${SH} 'trap "" TERM; while :; do sleep 1; done'`,
  );
  await target.sh('docker stop --time 1 deaf');
  expect((await engine.container('deaf')).State.ExitCode).toBe(137);
});

test('run passes on how the command ended, and what the engine could not start', async ({ target }) => {
  expect((await target.exec(`docker run --rm --network none tool:1 ${SH} 'exit 3'`)).exitCode).toBe(3);
  const missing = await target.exec('docker run --rm --network none tool:1 /bin/nothing');
  expect(missing.exitCode).toBe(127);
  expect(missing.stderr).toContain('no such file or directory');
  const denied = await target.exec('docker run --rm --network none tool:1 /etc/origin');
  expect(denied.exitCode).toBe(126);
  expect(denied.stderr).toContain('permission denied');
});

test('a restart policy starts what fails again, and no more often than it says', async ({ target, engine }) => {
  await target.sh(
    `docker run --detach --name fails --network none --restart on-failure:2 tool:1 ${SH} 'echo try; exit 3'`,
  );
  await eventually(
    async () =>
      expect(await engine.container('fails')).toMatchObject({
        RestartCount: 2,
        State: { Status: 'exited', ExitCode: 3 },
      }),
    { seconds: 10 },
  );
  expect(await target.sh('docker logs fails')).toBe('try\ntry\ntry');

  await target.sh('docker run --detach --name stays --network none --restart unless-stopped tool:1');
  const { State } = await engine.container('stays');
  await target.sh(`kill -9 ${State.Pid}`);
  await eventually(
    async () =>
      expect(await engine.container('stays')).toMatchObject({ RestartCount: 1, State: { Status: 'running' } }),
    { seconds: 5 },
  );
  await target.sh('docker stop stays');
  expect((await engine.container('stays')).State.Status).toBe('exited');
});

test('limits hold: memory, processes and the share of a processor', async ({ target, engine }) => {
  // tail keeps what it reads until a line ends, which a row of zeros never does.
  const greedy = await target.exec(
    'docker run --name greedy --network none --memory 16m --memory-swap 16m tool:1 /bin/busybox tail /dev/zero',
  );
  expect(greedy.exitCode).toBe(137);
  // The engine's own word for it, OOMKilled, comes from an event, which is lost when it is later than the end.
  const { Id: victim } = await engine.container('greedy');
  expect(await target.sh('dmesg')).toMatch(new RegExp(`oom-kill:.*oom_memcg=/system.slice/docker-${victim}.scope`));

  await target.sh(
    `docker run --detach --name limited --network none --cpus 0.2 --pids-limit 20 tool:1 ${SH} 'while :; do :; done'`,
  );
  // Threads count too, of which the engine's own helper needs some.
  const forks = await target.exec(`docker exec limited ${SH} 'for i in $(seq 30); do sleep 9 & done'`);
  expect(forks.stderr).toContain("can't fork");

  const { Id } = await engine.container('limited');
  const group = `/sys/fs/cgroup/system.slice/docker-${Id}.scope`;
  expect(await target.sh(`cat ${group}/pids.max ${group}/cpu.max`)).toBe('20\n20000 100000');
  const [begun, used, throttled] = await cpuTime();
  await target.sh('sleep 3');
  const [ended, usedThen, throttledThen] = await cpuTime();
  const share = (usedThen! - used!) / (ended! - begun!);
  // It may get less on a busy host, and never more: a period is 100 ms, the reading of two files a moment.
  expect(share).toBeGreaterThan(0);
  expect(share).toBeLessThan(0.25);
  expect(throttledThen).toBeGreaterThan(throttled!);

  /** Microseconds of the machine's clock, of the container's processor time, and how often it was held back. */
  async function cpuTime(): Promise<number[]> {
    const read = `date +%s%6N; sed -n 's/^\\(usage_usec\\|nr_throttled\\) //p' ${group}/cpu.stat`;
    return (await target.sh(read)).split('\n').map(Number);
  }
});

test('what a container changed is listed, and can become an image', async ({ target, engine }) => {
  const change = 'echo container > /etc/origin; mkdir /new; echo kept > /new/file; rm /opt/rest';
  await target.sh(`docker run --name changes --network none tool:1 ${SH} '${change}'`);
  const changes = await engine.get<{ Kind: number; Path: string }[]>('/containers/changes/changes');
  const kinds = ['C', 'A', 'D'];
  expect(changes.map(({ Kind, Path }) => `${kinds[Kind]} ${Path}`).sort()).toEqual(
    ['A /new', 'A /new/file', 'C /opt', 'C /etc', 'C /etc/origin', 'D /opt/rest'].sort(),
  );
  const cat = '/bin/busybox cat /etc/origin /new/file';
  const id = await target.sh(
    `docker commit --message 'by hand' --change 'CMD ${JSON.stringify(cat.split(' '))}' changes hand:1`,
  );
  expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(await target.sh('docker run --rm --network none hand:1')).toBe('container\nkept');
  expect(await target.sh('docker history --no-trunc --format "{{.Comment}}" hand:1 | head -1')).toBe('by hand');
  await engine.remove('/images/hand:1');
});
