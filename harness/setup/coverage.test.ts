import { expect, test } from 'vitest';
import { byFolder, table } from './coverage.mjs';

const lines = (total: number, covered: number) => ({ lines: { total, covered } });

test('lines are counted by folder, the whole last', () => {
  const rows = byFolder(
    {
      total: lines(40, 15),
      '/c/reports/junit/junit.ts': lines(10, 10),
      '/c/harness/run/run.ts': lines(20, 5),
      '/c/harness/run/cell.ts': lines(10, 0),
    },
    '/c',
  );
  expect(rows).toEqual([
    { folder: 'harness/run', total: 30, covered: 5 },
    { folder: 'reports', total: 10, covered: 10 },
    { folder: 'all', total: 40, covered: 15 },
  ]);
  expect(table(rows).split('\n')[2]).toBe('| harness/run        |  17 % |      5 |     30 |');
});
