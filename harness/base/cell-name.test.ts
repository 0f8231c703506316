import { describe, expect, test } from 'vitest';
import { cellName, parseCellName } from './cell-name.ts';

describe('the name of a cell', () => {
  test.each([
    ['amd64/vm/web', { arch: 'amd64', target: 'vm', suite: 'web' }],
    ['amd64+arm64/vm/pair@trixie', { arch: 'amd64+arm64', target: 'vm', suite: 'pair', release: 'trixie' }],
    [
      'ppc64le/container/a.b-c_d@bookworm',
      { arch: 'ppc64le', target: 'container', suite: 'a.b-c_d', release: 'bookworm' },
    ],
  ])('%s is put together and taken apart', (name, parts) => {
    expect(cellName(parts)).toBe(name);
    expect(parseCellName(name)).toEqual(parts);
  });

  test.each(['web', 'amd64/web', 'amd64/vm/web/trixie', 'amd64/vm/web@', '', '//'])('%j is none', (text) => {
    expect(parseCellName(text)).toBeUndefined();
  });
});
