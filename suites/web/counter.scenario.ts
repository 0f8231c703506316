import { expect, test } from 'multiarch-harness';
import { newCounter } from './counter.ts';
import { http, keepAlive } from './http.ts';

test('a counter is right after 8 clients have incremented it 100 times each', async ({ stack }) => {
  const counter = newCounter(stack.url('http', '/app/counter'));
  const client = async (): Promise<number[]> => {
    using agent = keepAlive(1);
    const values: number[] = [];
    for (let index = 0; index < 100; index++) values.push(await counter.add(agent));
    return values;
  };
  const seen = await Promise.all(Array.from({ length: 8 }, client));
  expect(await counter.value()).toBe(800);
  // No value twice, none left out; and to each client the counter only ever grew.
  expect(seen.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 800 }, (_, index) => index + 1));
  for (const values of seen) expect(values).toEqual(values.toSorted((a, b) => a - b));
});

test('only GET and POST', async ({ stack }) => {
  expect((await http(stack.url('http', '/app/counter/x'), { method: 'DELETE' })).status).toBe(405);
});
