import { expect, test } from 'vitest';
import { nativeArch } from '../harness/arch/index.ts';
import { makeProject, troubles } from './support/project.ts';

/** An architecture that is not this machine's. */
const arch = nativeArch()!.name === 'arm64' ? 'amd64' : 'arm64';

test('an image of another architecture has the bytecode that its own Python makes, and nothing of this machine’s', async () => {
  await using project = await makeProject({
    'matrices/m.yaml': `arch: [${arch}]\ntarget: [vm]\nsuite: [python]\n`,
    'suites/python/suite.yaml': 'machine: {memory: 384}\nstack: {packages: [python3-markupsafe]}\n',
    'suites/python/a.scenario.ts': `import { expect, test } from 'multiarch-harness';
const FOLDER = '/usr/lib/python3/dist-packages/markupsafe';
test('bytecode', async ({ target }) => {
  const compiled = await target.sh(\`ls \${FOLDER}/__pycache__\`);
  expect(compiled.split('\\n').length).toBeGreaterThan(1);
  // Images are built with a fixed date; Python's bytecode then contains a hash of the source, not its time.
  const again = \`import py_compile, glob, os
for source in glob.glob('\${FOLDER}/*.py'):
    py_compile.compile(source, '/tmp/again/' + os.path.basename(source)[:-3] + '.cpython-%d%d.pyc' % __import__('sys').version_info[:2], doraise=True)\`;
  await target.write('/tmp/again.py', again);
  await target.sh(\`mkdir /tmp/again && SOURCE_DATE_EPOCH=1 python3 /tmp/again.py && diff -r /tmp/again \${FOLDER}/__pycache__\`);
});
test('programs', async ({ target }) => {
  const here = '${nativeArch()!.machine}';
  for (const program of ['dpkg-deb', 'tar', 'python3'])
    expect(await target.sh(\`\${program} --version >/dev/null && echo runs\`)).toBe('runs');
  expect(await target.sh('head -n 1 "$(command -v py3compile)"')).toContain('python3');
  expect(await target.sh(\`find / -xdev -path '*harness-native*' -o -xdev -name '*\${here}-linux-gnu*'\`)).toBe('');
  expect(await target.sh('dpkg --audit; dpkg-divert --list | grep py3compile || true')).toBe('');
});
`,
  });
  const { exitCode, stderr } = await project.harness(['run', 'm']);
  expect(troubles(await project.results()), stderr).toEqual([]);
  expect(exitCode, stderr).toBe(0);
});
