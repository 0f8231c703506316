import { expect, test } from 'vitest';
import { tempFiles } from '../../testing/temp-files.ts';
import { loadQuarantine } from './quarantine.ts';

/** What a project's quarantine.yaml comes to. */
async function loaded(text: string, name = 'quarantine.yaml') {
  await using files = await tempFiles({ [name]: text, 'matrices/m.yaml': '' });
  const { folder: root } = files;
  return await loadQuarantine({ root, matrices: `${root}/matrices`, suites: `${root}/suites` }, root);
}

test('entries come with their place, architectures in any spelling', async () => {
  expect(
    await loaded(`- test: 'serves *'
  arch: [ppc64el, aarch64]
  target: vm
  link: https://bugs.example/7
  owner: ada
  expires: 2026-12-31
# a whole cell
- {cell: 'arm64/*/db', link: 'https://bugs.example/8', expires: "2027-01-02"}
`),
  ).toEqual([
    {
      ...{ test: 'serves *', arch: ['ppc64le', 'arm64'], target: ['vm'], link: 'https://bugs.example/7', owner: 'ada' },
      ...{ expires: '2026-12-31', where: 'quarantine.yaml:1:3' },
    },
    { cell: 'arm64/*/db', link: 'https://bugs.example/8', expires: '2027-01-02', where: 'quarantine.yaml:8:3' },
  ]);
  expect(await loaded('[]\n', 'quarantine.yml')).toEqual([]);
  expect(await loaded('', 'other.yaml')).toEqual([]);
});

test.each([
  ['no link', '- {test: x, expires: 2026-12-31}', 'quarantine.yaml:1:3: missing key "link" in [0]'],
  [
    'no expiry',
    "- {test: y, link: 'https://b.example/1', expires: 2026-12-31}\n- test: x\n  link: https://b.example/1\n",
    'quarantine.yaml:2:3: missing key "expires" in [1]',
  ],
  ['no day', "- {test: x, link: 'https://b.example/1', expires: 2026-02-30}", 'expected a day such as 2026-12-31'],
  [
    'a day of another form',
    "- {test: x, link: 'https://b.example/1', expires: soon}",
    'expected a day such as 2026-12-31',
  ],
  ['no address', '- {test: x, link: later, expires: 2026-12-31}', 'expected an http or https address'],
  ['about everything', "- {arch: arm64, link: 'https://b.example/1', expires: 2026-12-31}", 'expected test or cell'],
  ['a misspelt key', "- {test: x, link: 'https://b.example/1', expire: 2026-12-31}", 'did you mean "expires"?'],
  [
    'no such architecture',
    "- {test: x, arch: arm46, link: 'https://b.example/1', expires: 2026-12-31}",
    'did you mean "arm64"?',
  ],
])('%s is an error at its line', async (_, text, message) => {
  await expect(loaded(text)).rejects.toThrow(message);
  await expect(loaded(text)).rejects.toThrow(/^quarantine\.yaml:\d+:\d+: /);
});
