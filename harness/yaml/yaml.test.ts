import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { archNames } from '../arch/index.ts';
import { ConfigError } from '../base/errors.ts';
import { matrixSchema } from '../config/schema/matrix.ts';
import { suiteSchema } from '../config/schema/suite.ts';
import { rejection, tempFiles } from '../testing/temp-files.ts';
import { readYaml } from './yaml.ts';

async function problems(text: string, schema: z.ZodType = matrixSchema): Promise<string[]> {
  await using files = await tempFiles({ 'm.yaml': text });
  return (await rejection(readYaml(join(files.folder, 'm.yaml'), schema, files.folder))).split('\n');
}

describe('a matrix', () => {
  test('that is valid is read with its defaults', async () => {
    await using files = await tempFiles({ 'm.yaml': 'arch: [AArch64, ppc64el]\nsuite: [web]\n' });
    const { data } = await readYaml(join(files.folder, 'm.yaml'), matrixSchema);
    expect(data).toMatchObject({
      arch: ['arm64', 'ppc64le'],
      target: ['vm'],
      control: 'amd64',
      limits: { minutes: 60 },
    });
  });

  test('an unknown architecture: its place, the known ones, and the closest', async () => {
    expect(await problems('arch: [arm64, amd46]\nsuite: [web]\n')).toEqual([
      `m.yaml:1:15: unknown architecture "amd46", expected one of ${archNames.join(', ')}; did you mean "amd64"?`,
    ]);
    expect(await problems('arch: [alpha]\nsuite: [web]\n')).toEqual([
      `m.yaml:1:8: unknown architecture "alpha", expected one of ${archNames.join(', ')}`,
    ]);
  });

  test('suggestions consider every spelling, not only the names', async () => {
    expect(await problems('arch: [x86_46]\nsuite: [web]\n')).toEqual([
      `m.yaml:1:8: unknown architecture "x86_46", expected one of ${archNames.join(', ')}; did you mean "x86_64"?`,
    ]);
  });

  test('a misspelt key is pointed at, and the intended key is not reported as missing', async () => {
    expect(await problems('arch: [amd64]\nsuites: [web]\n')).toEqual([
      'm.yaml:2:1: unknown key "suites", expected one of name, description, arch, target, suite, release, control, include, exclude, non-voting, retries, limits, images; did you mean "suite"?',
    ]);
    expect(await problems('arch: [amd64]\nsuite: [web]\nlimits:\n  minuets: 3\n')).toEqual([
      'm.yaml:4:3: unknown key "minuets", expected one of jobs, minutes, cell-minutes, control-minutes, attempts, scale, snapshots-gib, source-mib; did you mean "minutes"?',
    ]);
  });

  test('rules about an entry are not checked while one of its keys is misspelt', async () => {
    expect(await problems('arch: [amd64]\nsuite: [web]\nexclude:\n  - arhc: amd64\n  - {}\n')).toEqual([
      'm.yaml:4:5: unknown key "arhc", expected one of arch, target, suite, release; did you mean "arch"?',
      'm.yaml:5:5: exclude[1]: expected at least one of arch, target, suite, release: an empty entry matches everything',
    ]);
  });

  test('a missing key is reported at the map around it', async () => {
    expect(await problems('# first\narch: [amd64]\n')).toEqual(['m.yaml:2:1: missing key "suite", expected a list']);
    expect(await problems('arch: [amd64]\nsuite: [web]\ninclude:\n  - { arch: arm64, target: vm }\n')).toEqual([
      'm.yaml:4:5: missing key "suite" in include[0], expected a string',
    ]);
  });

  test('a wrong kind of target, and a wrong word in a union', async () => {
    expect(await problems('arch: [amd64]\ntarget: [vn]\nsuite: [web]\nexclude: [{ arch: [amd64, arm46] }]\n')).toEqual([
      'm.yaml:2:10: target[0] is "vn", expected one of vm, container, ssh, local, command; did you mean "vm"?',
      `m.yaml:4:27: unknown architecture "arm46", expected one of ${archNames.join(', ')}; did you mean "arm64"?`,
    ]);
  });

  test('an unknown release, and one that is named twice', async () => {
    const known = 'expected one of trixie, bookworm';
    expect(await problems('arch: [amd64]\nsuite: [web]\nimages: { release: trixi }\n')).toEqual([
      `m.yaml:3:20: images.release is "trixi", ${known}; did you mean "trixie"?`,
    ]);
    expect(await problems('arch: [amd64]\nsuite: [web]\nrelease: [trixie, sid]\n')).toEqual([
      `m.yaml:3:19: release[1] is "sid", ${known}`,
    ]);
    expect(await problems('arch: [amd64]\nsuite: [web]\nrelease: trixie\nimages: { release: bookworm }\n')).toEqual([
      'm.yaml:3:10: release is "trixie", expected it either here or in images, not in both',
    ]);
  });

  test('values of the wrong type or size', async () => {
    const text =
      'arch: amd64\nsuite: []\ncontrol:\nlimits: { jobs: 0, scale: 200, minutes: 1h }\nimages: { mirror: "ftp://x" }\n';
    expect(await problems(text)).toEqual([
      'm.yaml:1:7: arch is "amd64", expected a list',
      'm.yaml:2:8: suite is an empty list, expected at least 1 entry',
      'm.yaml:3:9: control is empty, expected a string',
      'm.yaml:4:17: limits.jobs is 0, expected at least 1',
      'm.yaml:4:27: limits.scale is 200, expected at most 100',
      'm.yaml:4:41: limits.minutes is "1h", expected a number',
      'm.yaml:5:19: images.mirror is "ftp://x", expected an http or https address',
    ]);
  });

  test('a problem in an anchor is reported where the anchor stands', async () => {
    expect(await problems('arch: &a [amd64, amr64]\nsuite: [web]\nexclude: [{ arch: *a }]\n')).toEqual([
      `m.yaml:1:18: unknown architecture "amr64", expected one of ${archNames.join(', ')}; did you mean "arm64"?`,
    ]);
  });
});

describe('a suite', () => {
  test('a value that YAML parses as a number or a boolean has to be quoted', async () => {
    const text = `stack:
  files:
    - { path: /a, content: x, mode: 0644 }
    - { path: /b, content: 12, mode: 0o600 }
  images: [{ tag: 1, command: [yes, true] }]
`;
    expect(await problems(text, suiteSchema)).toEqual([
      'm.yaml:3:37: stack.files[0].mode is 644, expected an octal mode in quotes, such as "0644"',
      'm.yaml:4:28: stack.files[1].content is 12, expected a string: put it in quotes',
      'm.yaml:4:38: stack.files[1].mode is 384, expected an octal mode in quotes, such as "0644"',
      'm.yaml:5:19: stack.images[0].tag is 1, expected a string: put it in quotes',
      'm.yaml:5:37: stack.images[0].command[1] is true, expected a string: put it in quotes',
    ]);
  });

  test('all problems are reported at once', async () => {
    const text = [
      'needs: [rooot]',
      'stack:',
      '  files:',
      '    - { path: etc/x, content: a }',
      '    - { path: /x/../y, content: a, from: b }',
      '  ready:',
      '    - { http: {} }',
      '    - command: 3',
      '    - {}',
      '  ports: { HTTP: 80, b: 1.5 }',
    ].join('\n');
    expect(await problems(text, suiteSchema)).toEqual([
      'm.yaml:1:9: needs[0] is "rooot", expected one of system, root, power, network, docker; did you mean "root"?',
      'm.yaml:4:15: stack.files[0].path is "etc/x", expected an absolute path',
      'm.yaml:5:7: stack.files[1]: expected exactly one of from, content, folder, link, absent',
      'm.yaml:5:15: stack.files[1].path is "/x/../y", expected a path without ".."',
      'm.yaml:7:15: missing key "port" in stack.ready[0].http, expected a string',
      'm.yaml:8:16: stack.ready[1].command is 3, expected a string or a list',
      'm.yaml:9:7: stack.ready[2]: expected exactly one of http, tcp, command',
      'm.yaml:10:12: "HTTP" is no good as a key in stack.ports, expected lower-case letters, digits, ".", "_" and "-", at most 63',
      'm.yaml:10:25: stack.ports.b is 1.5, expected a whole number',
    ]);
  });
});

describe('a file with the wrong content', () => {
  test('YAML syntax', async () => {
    expect(await problems('arch: [amd64\nsuite: [web]\n')).toEqual([
      'm.yaml:2:1: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ]);
    expect(await problems('arch: [amd64]\narch: [arm64]\n')).toEqual([
      'm.yaml:2:1: not valid YAML: this key stands here for the second time',
    ]);
    expect(await problems('arch: [amd64]\n---\nb: 1\n')).toEqual([
      'm.yaml:2:1: not valid YAML: a second document starts here, expected one',
    ]);
    expect(await problems('arch: !python/object []\n')).toEqual([
      'm.yaml:1:7: not valid YAML: Unresolved tag: !python/object',
    ]);
  });

  test('empty, a string, or absent', async () => {
    expect(await problems('')).toEqual(['m.yaml:1:1: the file is empty, expected a map']);
    expect(await problems('hello')).toEqual(['m.yaml:1:1: the file is "hello", expected a map']);
    await using files = await tempFiles();
    const read = (path: string) => rejection(readYaml(join(files.folder, path), matrixSchema, files.folder));
    expect(await read('none.yaml')).toBe('cannot read none.yaml: there is no such file');
    expect(await read('.')).toBe(`cannot read ${files.folder}: it is not a file`);
  });

  test('a template that nobody filled in is named at its place', async () => {
    const said =
      'a key is a map or a list, expected a word: `{{ … }}` is not filled in here, write the value or quote it';
    expect(await problems('arch: {{ matrix.arch }}\nsuite: [web]\n')).toEqual([`m.yaml:1:8: ${said}`]);
    expect(await problems('arch: [amd64]\nsuite: [web]\nlimits: {? [a]: 1}\n')).toEqual([`m.yaml:3:12: ${said}`]);
  });

  test('too large, too deep, or growing through aliases', async () => {
    expect(await problems(`# ${'x'.repeat(1024 * 1024)}`)).toEqual(['cannot read m.yaml: it is larger than 1 MiB']);
    expect((await problems('['.repeat(100_000)))[0]).toMatch(/^m\.yaml:1:\d+: not valid YAML: nested too deeply$/);
    const bomb = [
      'a: &a [x, x, x, x, x, x, x, x, x]',
      ...[...'bcdefg'].map((key, i) => `${key}: &${key} [${Array(9).fill(`*${'abcdefg'[i]}`)}]`),
    ];
    expect(await problems(bomb.join('\n'))).toEqual([
      'm.yaml:1:1: not valid YAML: Excessive alias count indicates a resource exhaustion attack',
    ]);
  });

  test('control characters reach no terminal', async () => {
    const [only] = await problems('arch: [amd64]\nsuite: [web]\n"a\\e[31m\\u202e": 1\n');
    expect(only).toMatch(/^m\.yaml:3:1: unknown key "a\\u001b\[31m\\u\{202e\}", expected one of name,/);
  });

  test('any content is either read or a ConfigError with line and column', async () => {
    const word = fc.constantFrom(
      'arch',
      'suite',
      'amd64',
      'x',
      ': ',
      '- ',
      '\n',
      '  ',
      '[',
      ']',
      '{',
      '}',
      '*a',
      '&a ',
      '"',
      '!',
      '__proto__',
      '3',
      '? ',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 20 }), async (words) => {
        await using files = await tempFiles({ 'm.yaml': words.join('') });
        const error = await readYaml(join(files.folder, 'm.yaml'), matrixSchema, files.folder).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        if (error === undefined) return;
        expect(error).toBeInstanceOf(ConfigError);
        for (const line of (error as Error).message.split('\n')) expect(line).toMatch(/^m\.yaml:[1-9]\d*:[1-9]\d*: ./);
      }),
      { numRuns: 200 },
    );
  });
});
