import { expect, test } from 'vitest';
import { InfraError } from '../base/errors.ts';
import { type MeasureOptions, measure } from './measure.ts';

const options: MeasureOptions = {
  name: 'b',
  samples: 3,
  warmup: 1,
  operations: 1,
  clock: 'controller',
  clockFacts: { resolutionMs: 0.001, overheadMs: 0.0005 },
};
const from = (values: readonly (number | Error)[]) => {
  const left = values.values();
  return async () => {
    const next = left.next().value;
    if (next instanceof Error) throw next;
    return next ?? Number.NaN;
  };
};

test('samples are kept in the order taken, without those of the warm-up', async () => {
  expect(await measure(from([9, 3, 1, 2]), options)).toMatchObject({
    samplesMs: [3, 1, 2],
    warmupSamples: 1,
    warnings: [],
  });
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, -1])('a duration of %d is refused, with the samples before it', (ms) =>
  expect(measure(from([9, 3, ms, 2]), options)).rejects.toThrow(
    `cannot measure: sample 3 of 4 of "b", warm-up included took ${ms} ms; before it: 9 ms, 3 ms`,
  ),
);

test.each([
  [{ samples: 0 }, '`samples` is 0, and a whole number from 1'],
  [{ samples: Number.NaN }, '`samples` is NaN'],
  [{ warmup: -1 }, '`warmup` is -1, and a whole number from 0'],
  [{ operations: 0.5 }, '`operations` is 0.5'],
])('%j are no options', (wrong, message) =>
  expect(measure(from([1, 1, 1, 1]), { ...options, ...wrong })).rejects.toThrow(message),
);

test('an error of a sample keeps its class, says which sample it was, and has the samples before it', async () => {
  const thrown = new InfraError('the connection is gone', { hint: 'look' });
  const error: unknown = await measure(from([9, 3, thrown]), options).catch((caught: unknown) => caught);
  expect(error).toBe(thrown);
  expect(error).toMatchObject({
    message: 'the connection is gone (sample 3 of 4 of "b", warm-up included; before it: 9 ms, 3 ms)',
    hint: 'look',
  });
  await expect(measure(() => Promise.reject('no error'), options)).rejects.toThrow(
    'no error (sample 1 of 4 of "b", warm-up included)',
  );
});

test('a sample below a hundred times the resolution is refused, one of exactly that is not', async () => {
  await expect(measure(from([9, 9, 0.0999, 9]), options)).rejects.toThrow(
    'cannot measure "b": a sample took 99.9 µs, and with this clock it takes 100 µs, 100 times its resolution (1 µs) and its overhead (500 ns)',
  );
  await expect(
    measure(from([9, 9, 0, 9]), { ...options, clockFacts: { resolutionMs: 0, overheadMs: 0.1 } }),
  ).rejects.toThrow('it takes 10 ms');
  // What is too short in the warm-up is not counted, and so not refused.
  expect(await measure(from([0, 0.1, 0.1, 0.1]), options)).toMatchObject({ samplesMs: [0.1, 0.1, 0.1] });
});

test('the time that the machine waited for the host is recorded, and a warning given if it is long', async () => {
  const readings = [
    { ran: 10e6, waited: 0 },
    { ran: 30e6, waited: 60e6 },
  ].values();
  const hostTime = () => new Map([['1', readings.next().value!]]);
  expect(await measure(from([9, 9, 9, 9]), { ...options, hostTime })).toMatchObject({
    waited: 0.75,
    warnings: ["the host's processors were busy with something else for 75 % of the time"],
  });
  expect(await measure(from([9, 9, 9, 9]), { ...options, waited: 0.05 })).toMatchObject({ waited: 0.05, warnings: [] });
});
