import { expect } from 'multiarch-harness';
import { type Container, test } from './engine.ts';

test('a container from start to end', async ({ measure }) => {
  await measure.inGuest('docker run --rm --network none tool:1 /bin/busybox true', { samples: 5 });
});

test('a build of six steps from the cache', async ({ target, measure }) => {
  const steps = Array.from({ length: 5 }, (_, index) => `LABEL step${index}=done`);
  await target.write('/tmp/cached/Dockerfile', `${['FROM tool:1', ...steps].join('\n')}\n`);
  // The first is what fills the cache, and is not counted.
  await measure.inGuest('docker build --quiet --tag cached:1 /tmp/cached', { samples: 5 });
  await target.sh('docker rmi cached:1 && rm -r /tmp/cached');
});

test('a byte more for a file of 2 MiB in a lower layer', async ({ engine, measure }) => {
  const { GraphDriver } = await engine.get<Pick<Container, 'GraphDriver'>>('/images/tool:1/json');
  expect(GraphDriver.Name).toBe('overlay2');
  const layers = `lowerdir=${GraphDriver.Data['UpperDir']},upperdir=/tmp/over/upper,workdir=/tmp/over/work`;
  await measure.inGuest(
    `rm -rf /tmp/over && mkdir -p /tmp/over/upper /tmp/over/work /tmp/over/merged &&
      mount -t overlay -o ${layers} overlay /tmp/over/merged &&
      printf x >> /tmp/over/merged/bin/busybox && umount /tmp/over/merged`,
    { samples: 10 },
  );
});
