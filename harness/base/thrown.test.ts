import { createContext, runInContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { InfraError, isLate, messageOf } from './errors.ts';
import { readThrown } from './thrown.ts';

/** Throws itself at whoever touches it. */
function hostile(): object {
  const all = new Proxy(
    {},
    {
      get: () => () => {
        throw proxy;
      },
    },
  );
  const proxy: object = new Proxy({ secret: 'inside' }, all);
  return proxy;
}

const cyclic = new Error('outer');
cyclic.cause = new Error('inner', { cause: cyclic });

describe('readThrown', () => {
  test.each<[string, unknown, string, string]>([
    ['an error', new TypeError('no'), 'TypeError', 'no'],
    ['an object', { code: 14, details: 'unavailable' }, 'Error', "{ code: 14, details: 'unavailable' }"],
    ['an object without a prototype', Object.assign(Object.create(null), { code: 7 }), 'Error', '{ code: 7 }'],
    ['an object that has a name', { name: 'web', port: 80 }, 'Error', "{ name: 'web', port: 80 }"],
    ['a string', 'no', 'Error', 'no'],
    ['undefined', undefined, 'Error', 'undefined'],
    ['null', null, 'Error', 'null'],
    ['a symbol', Symbol('s'), 'Error', 'Symbol(s)'],
    ['a function', function named() {}, 'Error', '[Function: named]'],
    ['an array', [1, 'two'], 'Error', "[ 1, 'two' ]"],
    ['a hostile proxy', hostile(), 'Error', "{ secret: 'inside' }"],
    ['an error of another realm', runInContext('new RangeError("far")', createContext()), 'RangeError', 'far'],
    ['a message that is no string', Object.assign(new Error('x'), { message: { a: 1 } }), 'Error', '{ a: 1 }'],
    ['a name that is no string', Object.assign(new Error('x'), { name: 5 }), 'Error', 'x'],
    ['colours', new Error('\u001b[31mred\u001b[39m'), 'Error', 'red'],
  ])('%s', (_, thrown, type, message) => {
    expect(readThrown(thrown)).toMatchObject({ type, message });
    expect(messageOf(thrown)).toBe(message);
  });

  test('an error without a message falls back to its stack, or to its other properties', () => {
    const error = Object.assign(new Error('was here'), { code: 14 });
    expect(error.stack).toContain('was here');
    Object.assign(error, { message: undefined });
    expect(messageOf(error)).toBe('was here');
    expect(messageOf(Object.assign(error, { stack: 'Error\n    at x (y.ts:1:1)' }))).toBe(
      'Error without a message: { code: 14 }',
    );
  });

  test('a property that throws when read is left out', () => {
    const get = () => {
      throw new Error('not for you');
    };
    const error = Object.defineProperties(new Error('x'), { stack: { get }, cause: { get }, hint: { get } });
    expect(readThrown(error)).toEqual({ type: 'Error', message: 'x', causes: [], consoleTail: [] });
  });

  test('every cause and part is reported once', () => {
    const several = new AggregateError([new Error('a'), new TypeError('b', { cause: { code: 7 } })], 'both');
    expect(readThrown(new Error('top', { cause: several })).causes).toEqual([
      'AggregateError: both',
      'a',
      'TypeError: b',
      '{ code: 7 }',
    ]);
    expect(readThrown(cyclic).causes).toEqual(['inner']);
    expect(readThrown(new Error('x: it said no', { cause: 'it said no' })).causes).toEqual([]);
  });

  test('a huge value is cut, with the number of characters left out', () => {
    const { message, causes } = readThrown(new Error('x'.repeat(5e6), { cause: { list: Array(1e6).fill('y') } }));
    expect(message).toMatch(/^x{20000}… \(4980000 more characters\)$/);
    expect(causes[0]!.length).toBeLessThan(20_100);
  });
});

test('lateness is data, not read from the message', () => {
  expect(isLate(new InfraError('x', { late: true }))).toBe(true);
  for (const other of [new InfraError('no end after 5 s'), new Error('x'), hostile(), undefined])
    expect(isLate(other)).toBe(false);
});
