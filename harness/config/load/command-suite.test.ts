import { expect, test } from 'vitest';
import { commandSuite } from './command-suite.ts';

test('a command line is a suite of one test, with its folder as the source', () => {
  const suite = commandSuite(
    {
      command: ['make', 'check'],
      packages: ['gcc,make', 'zlib1g-dev'],
      results: 'tap',
      artifacts: ['dist/{a,b}'],
      seconds: 30,
    },
    '/home/me/My Project',
  );
  expect(suite).toMatchObject({
    name: 'my-project',
    folder: '/home/me/My Project',
    source: '.',
    stack: { packages: ['gcc', 'make', 'zlib1g-dev'] },
    tests: [{ run: ['make', 'check'], results: 'tap', seconds: 30 }],
    artifacts: ['dist/{a,b}'],
    machine: { memory: 1024, disk: 4096 },
    needs: [],
    root: false,
  });
});

test('another folder, none, root, the network, a file of results', () => {
  const more = {
    command: ['x'],
    source: '../lib',
    root: true,
    network: true,
    results: 'junit:build/**/*.xml',
  } as const;
  expect(commandSuite(more, '/a/b')).toMatchObject({
    name: 'lib',
    folder: '/a/lib',
    root: true,
    needs: ['network'],
    tests: [{ results: { junit: 'build/**/*.xml' } }],
  });
  expect(commandSuite({ command: ['x'], source: false }, '/')).not.toHaveProperty('source');
  expect(commandSuite({ command: ['x'], source: false }, '/').name).toBe('command');
});

test.each([
  [{ command: [] }, 'there is no command after --'],
  [{ command: ['x'], packages: ['gcc;rm'] }, '--packages: expected the name of a Debian package'],
  [{ command: ['x'], results: 'xunit:a' }, '--results: '],
  [{ command: ['x'], results: 'junit:' }, '--results: '],
  [{ command: ['x'], artifacts: ['/etc/shadow'] }, '--artifacts: expected a path below the source folder'],
  [{ command: ['x'], artifacts: ['a/../../b'] }, '--artifacts: expected a path below the source folder'],
  [{ command: ['x'], results: 'junit:../r.xml' }, '--results: expected a path without ".."'],
  [{ command: ['x'], results: 'junit:reports/' }, '--results: expected files, such as report.xml'],
  [{ command: ['x'], memory: 1 }, '--memory: '],
])('%j is refused by the name of its option', (flags, message) => {
  expect(() => commandSuite(flags, '/a')).toThrow(message);
});
