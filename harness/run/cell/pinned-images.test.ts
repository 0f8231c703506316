import { expect, test } from 'vitest';
import type { Pins } from '../../images/pins.ts';
import { DEFAULT_RELEASE } from '../../releases/index.ts';
import { runInMemory } from '../../testing/memory-run.ts';

const entry = `container-${'0'.repeat(20)}`;
const name = { what: 'none', arch: 'amd64', release: DEFAULT_RELEASE, suite: 's' } as const;
const pinsOf = (entries: string[]): Pins => ({ file: 'images.json', images: [{ ...name, entries, image: {} }] });
const messages = ({ cell }: { readonly cell: { readonly logs: readonly { readonly message: string }[] } }) =>
  cell.logs.map(({ message }) => message);

test('a cell whose pinned image is in no cache does not run', async () => {
  await using run = await runInMemory({ run: { pins: pinsOf([entry]) } });
  expect([run.exitCode, run.cell.verdict]).toEqual([3, 'infra']);
  expect(run.cell.reason).toBe(
    `the image ${entry} of s for amd64 is in no cache, and images.json lets no other be taken`,
  );
});

test('where pinned images are optional, it runs with its own and says so', async () => {
  await using run = await runInMemory({ run: { pins: { ...pinsOf([entry]), optional: true } } });
  expect([run.exitCode, run.cell.verdict]).toEqual([0, 'passed']);
  const why = `the image ${entry} of s for amd64 is in no cache`;
  expect(messages(run)).toEqual([`cannot take the images of the plan, and builds others: ${why}`]);
});

test('what is in the cache is taken in both cases', async () => {
  for (const optional of [true, false]) {
    await using run = await runInMemory({ run: { pins: { ...pinsOf([]), optional } } });
    expect([run.exitCode, messages(run)]).toEqual([0, []]);
  }
});
