import { expect } from 'multiarch-harness';
import { bytesOf, test } from './murano.ts';

/** What makes broken.zip, and what Murano says of it. */
const BROKEN = {
  'is no archive': { make: 'printf nonsense > broken.zip', says: /not a zip archive/ },
  'has no manifest': { make: 'python3 -m zipfile -c broken.zip secret/Classes', says: /find package manifest/ },
  'has no name': {
    make: 'grep -v FullName secret/manifest.yaml > manifest.yaml && python3 -m zipfile -c broken.zip manifest.yaml secret/Classes',
    says: /FullName is not specified/,
  },
};

test.for(Object.entries(BROKEN))(
  'a package that %s is refused, and told why',
  async ([, { make, says }], { programs, murano, target }) => {
    await programs.apiUp();
    await target.sh(`cd /srv/packages && ${make}`);
    const { status, body } = await murano.upload('broken', await bytesOf(target, '/srv/packages/broken.zip'));
    expect([status, JSON.stringify(body)]).toEqual([400, expect.stringMatching(says)]);
    const { packages } = await murano.do<{ packages: { fully_qualified_name: string }[] }>('GET', '/catalog/packages');
    expect(packages.map((one) => one.fully_qualified_name)).not.toContain('broken');
  },
);
