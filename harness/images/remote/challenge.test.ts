import { expect, test } from 'vitest';
import { parseChallenges } from './challenge.ts';

const read = (header: string) =>
  parseChallenges(header)?.map(({ scheme, params }) => [scheme, Object.fromEntries(params)]);

test.each<[string, unknown]>([
  [
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"',
    [
      [
        'bearer',
        { realm: 'https://auth.docker.io/token', service: 'registry.docker.io', scope: 'repository:a/b:pull,push' },
      ],
    ],
  ],
  ['BEARER Realm = x , SERVICE="y"', [['bearer', { realm: 'x', service: 'y' }]]],
  [
    'Bearer realm="a", Basic realm="b"',
    [
      ['bearer', { realm: 'a' }],
      ['basic', { realm: 'b' }],
    ],
  ],
  [
    ', Negotiate,, Newauth abc/d==, Basic realm="say \\"x, Bearer realm=y\\""',
    [
      ['negotiate', {}],
      ['newauth', {}],
      ['basic', { realm: 'say "x, Bearer realm=y"' }],
    ],
  ],
  ['Bearer', [['bearer', {}]]],
  ['Bearer error="insufficient_scope",realm=""', [['bearer', { error: 'insufficient_scope', realm: '' }]]],
  ['', []],
])('%s', (header, expected) => {
  expect(read(header)).toEqual(expected);
});

test.each([
  ['a parameter of nothing', 'realm="https://auth.lab/token"'],
  ['one that is said twice', 'Bearer realm="https://auth.lab",realm="https://evil.example"'],
  ['one that is said twice, spelled differently', 'Bearer realm=a,REALM=b'],
  ['a quote without an end', 'Bearer realm="https://auth.lab'],
  ['a quote that ends with a backslash', 'Bearer realm="x\\"'],
  ['text after a quote', 'Bearer realm="x"y'],
  ['no comma between parameters', 'Bearer realm="x" service="y"'],
  ['no comma between schemes', 'Basic Bearer realm="x"'],
  ['a parameter after a token68', 'Newauth abc==, realm="x"'],
  ['no value', 'Bearer realm=,service="y"'],
  ['a control character', 'Bearer realm="a\u0000b"'],
  ['a line', 'Bearer realm="a"\r\nx: y'],
  ['no ASCII', 'Bearer realm="https://ä.example"'],
  ['an unquoted address', 'Bearer realm=https://auth.lab/token'],
  ['too much', `Bearer realm="${'x'.repeat(8192)}"`],
])('%s is not read', (_what, header) => {
  expect(read(header)).toBe(undefined);
});

test('no header takes long', () => {
  const started = performance.now();
  for (const piece of ['a', ',', ' ', '\t', '=', '"', '\\', 'a ', 'a=', 'a=b ', 'a="', 'a,', '\\"', 'a \t', '==,'])
    for (const start of ['', 'Bearer ', 'Bearer realm="'])
      parseChallenges(`${start}${piece.repeat(8000 / piece.length)}`);
  expect(performance.now() - started).toBeLessThan(2000);
});
