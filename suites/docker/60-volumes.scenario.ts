import { eventually, expect } from 'multiarch-harness';
import { engineOf, test } from './engine.ts';

const SH = '/bin/busybox sh -c';

test('volumes and folders of the machine are shared, written by those who may, and outlive containers', async ({
  target,
  engine,
  onTestFinished,
}) => {
  onTestFinished(async () => {
    await target.sh(`systemctl stop other-docker 2>/dev/null; umount -R /var/lib/other 2>/dev/null
      rm -rf /tmp/bound /var/lib/other /run/other`);
  });
  await target.sh(`mkdir -p /tmp/bound && docker volume create --label kind=test shared &&
    docker run --detach --name writer --network none --volume shared:/data --volume /tmp/bound:/bound tool:1 &&
    docker run --detach --name reader --network none --volume shared:/data:ro --volume /tmp/bound:/bound:ro tool:1`);
  await target.sh(`docker exec writer ${SH} 'echo one > /data/file; echo two > /bound/file; chmod 600 /data/file'`);
  expect(await target.sh(`docker exec reader ${SH} 'busybox cat /data/file /bound/file'`)).toBe('one\ntwo');
  expect(await target.sh('cat /tmp/bound/file')).toBe('two');
  for (const folder of ['/data', '/bound']) {
    const denied = await target.exec(`docker exec reader ${SH} 'echo x > ${folder}/file'`);
    expect(denied.exitCode).not.toBe(0);
    expect(denied.stderr).toContain('Read-only file system');
  }
  const { Mounts } = await engine.container('writer');
  expect(Mounts.map(({ Type, Name, Source }) => [Type, Name ?? Source]).sort()).toEqual([
    ['bind', '/tmp/bound'],
    ['volume', 'shared'],
  ]);
  expect((await target.exec('docker volume rm shared')).stderr).toContain('volume is in use');
  await target.sh('docker rm --force --volumes writer reader');
  // Named ones stay, also with --volumes.
  expect(await target.sh('docker volume ls --quiet --filter label=kind=test')).toBe('shared');

  // To another engine with a place of its own for everything, through a stream: as to another machine.
  // On the first engine's bridge: told to use none, it would remove that one.
  await target.sh(`systemd-run --quiet --unit other-docker dockerd --data-root /var/lib/other --exec-root /run/other \\
    --pidfile /run/other.pid --host unix:///run/other.sock --bridge docker0 --iptables=false --ip-masq=false \\
    --containerd-namespace other --containerd-plugins-namespace other-plugins`);
  const other = engineOf(target, '/run/other.sock');
  await eventually(() => other.get('/info'), { seconds: 30 });
  expect((await other.get<{ Volumes: unknown[] | null }>('/volumes')).Volumes ?? []).toEqual([]);
  const there = 'docker --host unix:///run/other.sock';
  const tar = (mount: string, args: string) =>
    `run --rm --interactive --network none --volume ${mount} tool:1 /bin/busybox tar ${args}`;
  await target.sh(`docker save tool:1 | ${there} load && ${there} volume create moved &&
    docker ${tar('shared:/from:ro', '-c -C /from .')} | ${there} ${tar('moved:/to', '-x -C /to')}`);
  expect(await target.sh('cd /var/lib/other/volumes/moved/_data && cat file && stat -c "%a %u" file')).toBe(
    'one\n600 0',
  );
});

test('a volume plug-in is found by its socket and asked for everything in its turn', async ({
  target,
  engine,
  onTestFinished,
}) => {
  onTestFinished(async () => {
    await target.sh(`systemctl stop volume-plugin 2>/dev/null
      rm -rf /run/docker/plugins/shelf.sock /run/shelf.log /var/lib/shelf`);
  });
  await target.sh('systemd-run --quiet --unit volume-plugin perl /srv/docker/volume-plugin');
  await eventually(() => target.sh('test -S /run/docker/plugins/shelf.sock'), { seconds: 5 });
  await target.sh('docker volume create --driver shelf --opt color=red books');
  expect(await engine.get('/volumes/books')).toMatchObject({ Driver: 'shelf', Mountpoint: '/var/lib/shelf/books' });
  await target.sh(
    `docker run --rm --network none --volume books:/books tool:1 ${SH} 'echo "call me Ishmael" > /books/whale'`,
  );
  expect(await target.sh('cat /var/lib/shelf/books/whale')).toBe('call me Ishmael');
  // Something that it cannot do is said in its own words.
  expect((await target.exec('docker volume create --driver shelf --opt color=blue more')).stderr).toContain(
    'the shelf is red',
  );
  await target.sh('docker volume rm books');
  expect((await target.exec('test -e /var/lib/shelf/books')).exitCode).not.toBe(0);

  const calls = (await target.sh('cat /run/shelf.log')).split('\n');
  const [first, ...rest] = calls.filter((call, index) => call !== calls[index - 1]);
  expect(first).toBe('Plugin.Activate {}');
  const changing = rest.filter((call) => !/^VolumeDriver\.(Get|Path|List|Capabilities)/.test(call));
  expect(changing.map((call) => call.replace(/"ID":"\w+"/, '"ID":"…"'))).toEqual([
    'VolumeDriver.Create {"Name":"books","Opts":{"color":"red"}}',
    'VolumeDriver.Mount {"Name":"books","ID":"…"}',
    'VolumeDriver.Unmount {"Name":"books","ID":"…"}',
    'VolumeDriver.Create {"Name":"more","Opts":{"color":"blue"}}',
    'VolumeDriver.Remove {"Name":"books"}',
  ]);
});
