import { expect } from 'multiarch-harness';
import { layeredImage } from './archive.ts';
import { type Image, test } from './engine.ts';

const SH = '/bin/busybox sh -c';

test('what a container changes is copied up, and what it removes is covered', async ({ target, engine }) => {
  const change =
    'echo changed > /etc/origin; rm /opt/rest; rm -r /usr/share/doc; mkdir /usr/share/doc; echo new > /usr/share/doc/new';
  await target.sh(`docker run --name over --network none tool:1 ${SH} '${change}'`);
  await target.sh('docker create --name beside --network none tool:1');
  const { GraphDriver } = await engine.container('over');
  expect(GraphDriver.Name).toBe('overlay2');
  const { UpperDir: upper, LowerDir: lower } = GraphDriver.Data;
  const image = lower!.split(':').at(-1);
  expect(await target.sh(`cat ${upper}/etc/origin ${image}/etc/origin`)).toBe('changed\nimage');
  // A whiteout is a device 0/0.
  expect(await target.sh(`stat --format '%F %t/%T' ${upper}/opt/rest`)).toBe('character special file 0/0');
  expect(await target.sh(`ls ${upper}/opt`)).toBe('rest');
  // A folder that was made anew covers the one below.
  expect(await target.sh(`ls ${upper}/usr/share/doc; ls ${image}/usr/share/doc`)).toBe('new\nbusybox-static');
  const opaque = `my $value = "\\0" x 8; my ($path, $name) = ("${upper}/usr/share/doc", "trusted.overlay.opaque");
    syscall(${target.arch.syscalls.getxattr}, $path, $name, $value, 8) > 0 or die "none: $!"; print substr($value, 0, 1)`;
  expect((await target.exec(['perl', '-e', opaque])).stdout).toBe('y');

  // Another container of the same image sees nothing of it.
  expect(await target.sh('docker cp beside:/etc/origin - | tar -xO')).toBe('image');
  expect(await target.sh('docker cp over:/etc/origin - | tar -xO')).toBe('changed');
});

test('of many layers each is there, and of a file that all have the last one', async ({ target, engine }) => {
  const LAYERS = 20;
  const layers = Array.from({ length: LAYERS }, (_, index) => ({
    [`layers/${index}`]: `${index}\n`,
    last: `${index}\n`,
    // What one layer brings the next one removes.
    [`gone/${index}`]: '',
    ...(index > 0 ? { [`gone/.wh.${index - 1}`]: '' } : {}),
  }));
  const { archive, diffs } = layeredImage('layers:1', target.arch.docker.split('/')[1]!, layers);
  await target.write('/tmp/layers.tar.b64', archive.toString('base64'));
  await target.sh('base64 -d /tmp/layers.tar.b64 | docker load && rm /tmp/layers.tar.b64', { seconds: 60 });
  expect((await engine.get<Image>('/images/layers:1/json')).RootFS.Layers).toEqual(diffs);
  await target.sh('docker create --name many layers:1 /nothing');
  const read = (path: string) => target.sh(`docker cp many:${path} - | tar -xO`);
  expect(
    (await read('/layers'))
      .split('\n')
      .map(Number)
      .toSorted((a, b) => a - b),
  ).toEqual([...diffs.keys()]);
  expect(await read('/last')).toBe(`${LAYERS - 1}`);
  expect((await target.sh('docker cp many:/gone - | tar -t')).split('\n')).toEqual(['gone/', `gone/${LAYERS - 1}`]);
  await target.sh('docker rm many && docker rmi layers:1');
});
