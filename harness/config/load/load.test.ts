import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fileInSuite } from '../../scenario/context.ts';
import { rejection, tempFiles } from '../../testing/temp-files.ts';
import { loadMatrix, loadSuite, loadSuites, matrixFromFlags, resolveMatrixFile } from './load.ts';
import { findProject } from './project.ts';

const matrix = 'arch: [amd64]\nsuite: [web]\n';

describe('findProject', () => {
  test('walks up to the folder that holds matrices or suites', async () => {
    await using files = await tempFiles({ 'p/suites/web/suite.yaml': '', 'p/.git/HEAD': '' });
    const root = join(files.folder, 'p');
    const expected = { root, matrices: join(root, 'matrices'), suites: join(root, 'suites') };
    expect(await findProject(join(root, 'suites', 'web'))).toEqual(expected);
    expect(await findProject(root)).toEqual(expected);
  });

  test('does not leave a git repository, and falls back to where it started', async () => {
    await using files = await tempFiles({ 'matrices/x.yaml': matrix, 'clone/.git/HEAD': '', 'clone/src/a.txt': '' });
    const start = join(files.folder, 'clone', 'src');
    expect((await findProject(start)).root).toBe(start);
  });
});

describe('resolveMatrixFile', () => {
  test('takes a name, a path and an absolute path', async () => {
    await using files = await tempFiles({ 'matrices/quickstart.yaml': matrix, 'sub/a.txt': '' });
    const project = await findProject(files.folder);
    const file = join(files.folder, 'matrices', 'quickstart.yaml');
    const cwd = join(files.folder, 'sub');
    for (const name of [
      'quickstart',
      'quickstart.yaml',
      'matrices/quickstart.yaml',
      '../matrices/quickstart.yaml',
      file,
    ]) {
      expect(await resolveMatrixFile(name, project, { cwd })).toBe(file);
    }
  });

  test('lists the existing ones, including those of the package', async () => {
    await using files = await tempFiles({ 'matrices/quickstart.yaml': matrix, 'bundled/smoke.yaml': matrix });
    const project = await findProject(files.folder);
    const bundled = join(files.folder, 'bundled');
    expect(await resolveMatrixFile('smoke', project, { bundled })).toBe(join(bundled, 'smoke.yaml'));
    expect(await rejection(resolveMatrixFile('quikstart', project, { bundled }))).toBe(
      'unknown matrix "quikstart", expected one of quickstart, smoke; did you mean "quickstart"?',
    );
    expect(await rejection(resolveMatrixFile('x/smok.yaml', project))).toBe(
      'unknown matrix "x/smok.yaml", expected "quickstart"',
    );
  });
});

describe('loadSuites', () => {
  test('an unknown suite is reported at its place in the matrix', async () => {
    await using files = await tempFiles({
      'matrices/m.yaml':
        'arch: [amd64]\nsuite:\n  - web\n  - smok\ninclude: [{ arch: arm64, target: vm, suite: wbe }]\n',
      'suites/web/suite.yaml': 'description: x\n',
      'more/smoke/suite.yaml': 'description: x\n',
    });
    const loaded = await loadMatrix('matrices/m.yaml', files.folder);
    const folders = [join(files.folder, 'suites'), join(files.folder, 'more')];
    expect(await rejection(loadSuites(loaded, folders, files.folder))).toBe(
      [
        'matrices/m.yaml:4:5: unknown suite "smok", expected one of smoke, web; did you mean "smoke"?',
        'matrices/m.yaml:5:45: unknown suite "wbe", expected one of smoke, web; did you mean "web"?',
      ].join('\n'),
    );
  });

  test('the first folder that has a suite wins; the problems of all suites are reported together', async () => {
    await using files = await tempFiles({
      'm.yaml': 'arch: [amd64]\nsuite: [a, b]\n',
      'own/a/suite.yaml': 'neds: []\n',
      'own/b/suite.yaml': 'retries: 9\n',
      'good/a/suite.yaml': 'description: x\n',
      'good/b/suite.yaml': 'description: y\n',
    });
    const loaded = await loadMatrix('m.yaml', files.folder);
    const [own, good] = [join(files.folder, 'own'), join(files.folder, 'good')];
    const suites = await loadSuites(loaded, [good, own], files.folder);
    expect([...suites.values()].map(({ name, folder }) => [name, folder])).toEqual([
      ['a', join(good, 'a')],
      ['b', join(good, 'b')],
    ]);
    expect(await rejection(loadSuites(loaded, [own, good], files.folder))).toBe(
      [
        'own/a/suite.yaml:1:1: unknown key "neds", expected one of name, description, arch, needs, machine, nodes, stack, source, setup, tests, artifacts, root, timeouts, isolate, evidence, retries; did you mean "needs"?',
        'own/b/suite.yaml:1:10: retries is 9, expected at most 5',
      ].join('\n'),
    );
  });
});

describe('loadSuite', () => {
  test('the folder of a suite has links resolved, its name is that in the project', async () => {
    await using files = await tempFiles({ 'elsewhere/real/suite.yaml': '{}', 'elsewhere/real/a.scenario.ts': '' });
    await mkdir(join(files.folder, 'suites'));
    await symlink('../elsewhere/real', join(files.folder, 'suites/web'));
    const suite = await loadSuite(join(files.folder, 'suites/web'), files.folder);
    expect([suite.name, suite.folder]).toEqual(['web', join(files.folder, 'elsewhere/real')]);
    expect(fileInSuite(suite, join(suite.folder, 'a.scenario.ts'))).toBe('a.scenario.ts');
  });

  test.each(['#', '?', '\\'])('a path that cannot work is refused: %s', async (letter) => {
    await using files = await tempFiles({ [`a${letter}b/suites/web/suite.yaml`]: '{}' });
    const place = join(files.folder, `a${letter}b/suites/web`);
    expect(await rejection(loadSuite(place, files.folder))).toBe(
      `a${letter}b/suites/web/suite.yaml:1:1: the suite cannot be loaded from ${place}: \`${letter}\` means something else in a path to vite, move it elsewhere`,
    );
  });

  test('the name must be the name of the folder', async () => {
    await using files = await tempFiles({ 'web/suite.yaml': 'name: wbe\n' });
    expect(await rejection(loadSuite(join(files.folder, 'web'), files.folder))).toBe(
      'web/suite.yaml:1:7: name is "wbe", expected "web", the name of the suite\'s folder',
    );
  });

  test.each([
    [
      'nodes: {m1: {blank: {}}, m2: {blank: {}}}',
      'web/suite.yaml:1:21: every node is blank, expected one with a system beside them: { ctl: {}, m1: { blank: {} } }; it is the `target` of scenarios',
    ],
    [
      'nodes: {ctl: {}, m1: {blank: {firmware: bios}}}',
      'web/suite.yaml:1:41: nodes.m1.blank.firmware is "bios", expected one of uefi, petitboot',
    ],
    ['nodes: {ctl: {}, m1: {blank: {disk: 1}}}', 'web/suite.yaml:1:37: nodes.m1.blank.disk is 1, expected at least 64'],
    [
      'stack: {ramdisks: [{path: /srv/boot, files: [{path: /bin/x, content: y}]}]}',
      'web/suite.yaml:1:45: stack.ramdisks[0].files: expected /init among the files: the first program that runs',
    ],
  ])('what is wrong with %s', async (text, said) => {
    await using files = await tempFiles({ 'web/suite.yaml': `${text}\n` });
    expect(await rejection(loadSuite(join(files.folder, 'web'), files.folder))).toBe(said);
  });

  test('what is wrong with software from source is said of that, not of the commands beside it', async () => {
    const entry = (text: string) => `    - { ${text}, artifacts: { a: /b } }\n`;
    const load = async (text: string) => {
      await using files = await tempFiles({ 'web/suite.yaml': `stack:\n  build:\n${text}` });
      return (await rejection(loadSuite(join(files.folder, 'web'), files.folder))).split('\n');
    };
    expect(await load(entry('source: hello, runs: [make]'))).toEqual([
      'web/suite.yaml:3:24: unknown key "runs", expected one of source, release, needs, cross, prepare, run, artifacts, emulated, memory; did you mean "run"?',
    ]);
    expect(await load(entry('source: daemon/, run: [make]'))).toEqual([
      'web/suite.yaml:3:17: stack.build[0].source is "daemon/", expected the name of a Debian source package, or a folder that begins with "./" or "../"',
    ]);
    expect(await load(entry('source: ./daemon, run: [make]'))).toEqual([
      'web/suite.yaml:3:17: "./daemon" is not there, expected a folder relative to the suite\'s',
    ]);
    expect(await load('    - 3\n')).toEqual([
      'web/suite.yaml:3:7: stack.build[0] is 3, expected a string or a list or a map',
    ]);
  });

  test('a file is one thing, and its owner somebody', async () => {
    const text = `stack:
  files:
    - { path: /a, content: x, link: b }
    - { path: /b }
    - { path: /c, link: d, owner: root }
    - { path: /d, content: x, owner: "a b" }
    - { path: /etc, absent: true }
    - { path: /e, folder: true, mode: 0755 }
`;
    await using files = await tempFiles({ 'web/suite.yaml': text });
    const one = 'expected exactly one of from, content, folder, link, absent';
    expect((await rejection(loadSuite(join(files.folder, 'web'), files.folder))).split('\n')).toEqual([
      `web/suite.yaml:3:7: stack.files[0]: ${one}`,
      `web/suite.yaml:4:7: stack.files[1]: ${one}`,
      'web/suite.yaml:5:7: stack.files[2]: expected no mode, owner or group of a link, or of what is absent',
      'web/suite.yaml:6:38: stack.files[3].owner is "a b", expected the name of a user or group, or its number in quotes',
      'web/suite.yaml:7:7: stack.files[4]: expected a path below one of the top folders: all that is in it is removed',
      'web/suite.yaml:8:39: stack.files[5].mode is 755, expected an octal mode in quotes, such as "0644"',
    ]);
  });

  test('units are enabled, or enabled and disabled, and none is both', async () => {
    await using files = await tempFiles({
      'list/suite.yaml': 'stack: { services: [a, b] }\n',
      'both/suite.yaml': 'stack:\n  services: { enabled: [a, b], disabled: [c, b] }\n',
      'typo/suite.yaml': 'stack:\n  services: { disable: [c] }\n',
    });
    const load = (name: string) => loadSuite(join(files.folder, name), files.folder);
    expect((await load('list')).stack.services).toEqual({ enabled: ['a', 'b'], disabled: [] });
    expect(await rejection(load('both'))).toBe(
      'both/suite.yaml:2:46: b is enabled and disabled, expected one of the two',
    );
    expect(await rejection(load('typo'))).toContain('typo/suite.yaml:2:');
  });

  test('files are shared in folders beside suites that are no suites', async () => {
    const suite = (from: string) => `stack:\n  files:\n    - { path: /a, from: ${from} }\n`;
    await using files = await tempFiles({
      'suites/_shared/a.conf': 'a',
      'suites/other/a.conf': 'a',
      'suites/good/suite.yaml': suite('../_shared/a.conf'),
      'suites/typo/suite.yaml': suite('../_shared/b.conf'),
      'suites/bad/suite.yaml': suite('../other/a.conf'),
      'suites/out/suite.yaml': suite('../_shared/../../a.conf'),
    });
    const load = (name: string) => loadSuite(join(files.folder, 'suites', name), files.folder);
    expect((await load('good')).stack.files[0]?.from).toBe('../_shared/a.conf');
    expect(await rejection(load('typo'))).toMatch(/typo\/suite\.yaml:3:25: .*did you mean "\.\.\/_shared\/a\.conf"\?$/);
    for (const name of ['bad', 'out'])
      expect(await rejection(load(name))).toContain("expected a file in the suite's folder");
  });

  test('steps of a deployment are commands or conditions, whose ports there are', async () => {
    const text = `stack:
  ports: { http: 80 }
  commands:
    - plain
    - { name: slow, run: [make, all], seconds: 90 }
    - { await: { http: { port: htpp } } }
`;
    await using files = await tempFiles({
      'web/suite.yaml': text,
      'typo/suite.yaml': 'stack:\n  commands:\n    - { nme: slow, run: make }\n',
    });
    expect(await rejection(loadSuite(join(files.folder, 'web'), files.folder))).toBe(
      'web/suite.yaml:6:32: unknown port "htpp", expected "http"; did you mean "http"?',
    );
    expect(await rejection(loadSuite(join(files.folder, 'typo'), files.folder))).toContain('typo/suite.yaml:3:');
  });

  test('readiness checks name ports that there are', async () => {
    const text =
      'stack:\n  ports: { http: 80, redis: 6379 }\n  ready:\n    - http: { port: htpp }\n    - tcp: constructor\n';
    await using files = await tempFiles({
      'web/suite.yaml': text,
      'none/suite.yaml': 'stack: { ready: [{ tcp: http }] }\n',
    });
    expect(await rejection(loadSuite(join(files.folder, 'web'), files.folder))).toBe(
      [
        'web/suite.yaml:4:21: unknown port "htpp", expected one of http, redis; did you mean "http"?',
        'web/suite.yaml:5:12: unknown port "constructor", expected one of http, redis',
      ].join('\n'),
    );
    expect(await rejection(loadSuite(join(files.folder, 'none'), files.folder))).toBe(
      'none/suite.yaml:1:25: unknown port "http", expected a name from stack.ports, which is empty',
    );
  });

  test('a registry is one of the nodes, and writes files of its own', async () => {
    await using files = await tempFiles({
      'web/suite.yaml': 'nodes: {n1: {}, n2: {}}\nstack:\n  registry: n3\n',
      'one/suite.yaml': 'stack: {registry: n1}\n',
      'own/suite.yaml':
        'nodes: {n1: {}}\nstack: {registry: n1, files: [{path: /etc/docker/daemon.json, content: "{}"}]}\n',
    });
    const problemOf = (name: string) => rejection(loadSuite(join(files.folder, name), files.folder));
    expect(await problemOf('web')).toBe(
      'web/suite.yaml:3:13: unknown node "n3", expected one of n1, n2; did you mean "n1"?',
    );
    expect(await problemOf('one')).toBe(
      'one/suite.yaml:1:19: stack.registry is for clusters: the suite names no nodes',
    );
    expect(await problemOf('own')).toBe(
      'own/suite.yaml:2:38: "/etc/docker/daemon.json" is written by stack.registry, expected another file',
    );
  });

  test("files come from the suite's folder and from nowhere else", async () => {
    const from = (path: string, target: string) => `    - { from: ${path}, path: ${target} }\n`;
    const text = `stack:\n  files:\n${from('conf/a', '/a')}${from('no', '/b')}${from('../secret', '/c')}${from('link', '/d')}${from('conf', '/e')}${from('/etc/passwd', '/f')}${from('conf/../conf/a', '/a')}`;
    await using files = await tempFiles({ 'web/suite.yaml': text, 'web/conf/a': 'x', secret: 'x' });
    await symlink('../secret', join(files.folder, 'web', 'link'));
    expect(await rejection(loadSuite(join(files.folder, 'web'), files.folder))).toBe(
      [
        `web/suite.yaml:4:15: stack.files[1].from is "no", expected a file in the suite's folder: there is no such file`,
        `web/suite.yaml:5:15: stack.files[2].from is "../secret", expected a file in the suite's folder`,
        `web/suite.yaml:6:15: stack.files[3].from is "link", expected a file in the suite's folder: the link leads out of it`,
        `web/suite.yaml:7:15: stack.files[4].from is "conf", expected a file in the suite's folder: it is not a file`,
        `web/suite.yaml:8:15: stack.files[5].from is "/etc/passwd", expected a file in the suite's folder`,
        'web/suite.yaml:9:37: "/a" is written twice, expected one file for each path',
      ].join('\n'),
    );
  });
});

describe('matrixFromFlags', () => {
  test('takes the quickstart matrix if it has the requested suites', async () => {
    await using files = await tempFiles({ 'matrices/quickstart.yaml': matrix, 'suites/smoke/suite.yaml': '' });
    const project = await findProject(files.folder);
    expect(await matrixFromFlags({ arch: ['arm64'] }, project)).toMatchObject({ name: 'quickstart', suite: ['web'] });
    expect(await matrixFromFlags({ suite: ['smoke'] }, project)).toMatchObject({
      name: 'command-line',
      arch: ['amd64', 'arm64', 'ppc64le'],
      suite: ['smoke'],
    });
  });

  test('else every suite of the project, or the requested ones, also of the package', async () => {
    await using files = await tempFiles({
      'suites/b/suite.yaml': '',
      'suites/a/suite.yaml': '',
      'bundled/smoke/suite.yaml': '',
    });
    const project = await findProject(files.folder);
    const bundledSuites = join(files.folder, 'bundled');
    expect(await matrixFromFlags({}, project, { bundledSuites })).toMatchObject({ suite: ['a', 'b'] });
    expect(await matrixFromFlags({ suite: ['smoke,a'] }, project, { bundledSuites })).toMatchObject({
      suite: ['smoke', 'a'],
    });
    expect(await rejection(matrixFromFlags({ suite: ['smok'] }, project, { bundledSuites }))).toBe(
      'unknown suite "smok", expected one of a, b, smoke; did you mean "smoke"?',
    );
  });

  test('says what to do when there is nothing', async () => {
    await using files = await tempFiles();
    await mkdir(join(files.folder, '.git'));
    await expect(matrixFromFlags({}, await findProject(files.folder))).rejects.toMatchObject({
      message: 'no matrix was named, and the project has no suites',
      hint: 'harness init writes a first matrix and suite',
    });
  });
});
