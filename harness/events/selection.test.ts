import { describe, expect, test } from 'vitest';
import { selectionWords } from './selection.ts';
import type { Selection } from './types.ts';

const everything: Selection = {
  matrix: 'matrices/nightly.yaml',
  options: {
    arch: ['arm64,ppc64le'],
    target: ['local'],
    machines: 'ci/machines.yaml',
    suite: ['web'],
    only: ['*/local/*'],
    durations: 'last.json',
    shard: '1/3',
    bench: false,
    cold: true,
  },
};

describe('selectionWords', () => {
  test('every option that chose the cells', () => {
    expect(selectionWords(everything).join(' ')).toBe(
      'matrices/nightly.yaml --arch arm64,ppc64le --target local --machines ci/machines.yaml --suite web ' +
        '--only */local/* --durations last.json --shard 1/3 --no-bench --cold',
    );
  });

  test('of one of several jobs: the same cells are divided', () => {
    expect(selectionWords(everything, { shard: '2/2' }, { matrix: false }).join(' ')).toBe(
      '--arch arm64,ppc64le --target local --machines ci/machines.yaml --suite web --only */local/* ' +
        '--durations last.json --shard 2/2 --no-bench --cold',
    );
  });

  test('for some cells their names replace the filters', () => {
    expect(selectionWords(everything, { cells: ['arm64/local/web'] }).join(' ')).toBe(
      'matrices/nightly.yaml --arch arm64,ppc64le --target local --machines ci/machines.yaml --suite web ' +
        '--no-bench --cold --only arm64/local/web',
    );
  });

  test('a cell of a preferred kind names that kind, because another machine may prefer another', () => {
    const words = selectionWords({ options: {}, prefers: true }, { cells: ['arm64/container/web'] });
    expect(words).toEqual(['--target', 'container', '--only', 'arm64/container/web']);
  });

  test('options under their command-line names, a number, and a command at the end', () => {
    const options = { defaultX: 'y', timeout: 60, command: ['make', 'check'] };
    expect(selectionWords({ options }, { cells: ['a/vm/b'] }).join(' ')).toBe(
      '--default-x y --timeout 60 --only a/vm/b -- make check',
    );
  });
});
