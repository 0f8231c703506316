import { expect, test } from 'vitest';
import { refusalOf } from './refusal.ts';

// What Debian 13's Compose 2.26 printed of a file with `version:` and an env_file that is not there.
const said = `time="2026-11-28T11:00:58Z" level=warning msg="/p/s/compose.yaml: the attribute \`version\` is obsolete, it will be ignored, please remove it to avoid potential confusion"
env file /p/s/.env not found: stat /p/s/.env: no such file or directory
`;

test('a remark is no reason', () => {
  expect(refusalOf(said)).toBe('env file /p/s/.env not found: stat /p/s/.env: no such file or directory');
});

test('a reason that is logged is one, and of many lines the last are kept', () => {
  expect(refusalOf('time="t" level=fatal msg="no"\n')).toBe('time="t" level=fatal msg="no"');
  expect(refusalOf(Array.from({ length: 20 }, (_, line) => `${line}`).join('\n')).split('\n')).toHaveLength(8);
  expect(refusalOf('time="t" level=warning msg="yes"\n')).toBe('');
});
