import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { matrixSchema } from '../config/schema/matrix.ts';
import { suiteSchema } from '../config/schema/suite.ts';
import { IMPORT_TABLE } from '../setup/import-table.ts';
import { readYaml } from '../yaml/yaml.ts';
import { buildProgram, splitCommand } from './program.ts';

const root = dirname(dirname(import.meta.dirname));
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...(await readdir(join(root, 'docs'))).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
];
const texts = new Map(
  await Promise.all(pages.map(async (page) => [page, await readFile(join(root, page), 'utf8')] as const)),
);

/** The code blocks of a language, each with its page. */
function blocks(language: string): { page: string; text: string }[] {
  return [...texts].flatMap(([page, text]) =>
    [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map((match) => ({
      page,
      text: match[1]!,
    })),
  );
}

describe('examples', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'harness-docs-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const files = blocks('yaml').flatMap(({ page, text }) => {
    const name = /^# (matrices|suites)\/(\S+)/m.exec(text);
    return name ? [{ page, text, kind: name[1]! }] : [];
  });
  test('there are some of each kind', () => {
    expect(new Set(files.map(({ kind }) => kind))).toEqual(new Set(['matrices', 'suites']));
  });
  test.each(files)('the $kind example in $page is valid', async ({ text, kind }) => {
    const file = join(folder, 'example.yaml');
    await writeFile(file, text);
    await readYaml(file, kind === 'matrices' ? matrixSchema : suiteSchema, folder);
  });

  const lines = blocks('sh').flatMap(({ page, text }) =>
    text.split('\n').flatMap((line) => {
      const command = /^(?:npx )?harness ([^#]*)/.exec(line)?.[1]?.trim();
      return command ? [{ page, command }] : [];
    }),
  );
  test('there are command lines', () => expect(lines.length).toBeGreaterThan(5));
  test.each(lines)('`harness $command` in $page is valid', async ({ command }) => {
    const argv = command.match(/(?:'[^']*'|\S)+/g)!.map((word) => word.replaceAll("'", ''));
    const called: string[] = [];
    const program = buildProgram(({ name }) => async () => {
      called.push(name);
    });
    await program.parseAsync([...splitCommand(argv).words], { from: 'user' });
    expect(called).toEqual([['images', 'history'].includes(argv[0]!) ? `${argv[0]} ${argv[1]}` : argv[0]]);
  });
});

const HERE =
  /^https:\/\/(?:github\.com|raw\.githubusercontent\.com)\/multiarch-harness\/multiarch-harness\/(?:blob\/)?main\//;

test('links of the README, which is packed without the pages, lead somewhere', async () => {
  const targets = [...texts.get('README.md')!.matchAll(/\]\(([^)#]+)/g)].map(([, target]) => target!);
  expect(targets.filter((target) => HERE.test(target)).length).toBeGreaterThan(5);
  for (const target of targets) {
    // npm packs the licence, whatever `files` says.
    expect(HERE.test(target) || target === 'LICENSE' || target.startsWith('https:'), target).toBe(true);
    if (HERE.test(target)) await expect(readFile(join(root, target.replace(HERE, ''))), target).resolves.toBeDefined();
  }
});

test('links between the pages lead somewhere', async () => {
  for (const [page, text] of texts) {
    for (const [, target] of text.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
      await expect(readFile(join(root, dirname(page), target!)), `${page} links to ${target}`).resolves.toBeDefined();
    }
  }
});

test('the table of imports is the one that is checked', () => {
  const table = texts.get('docs/architecture.md') ?? '';
  const rows = [...table.matchAll(/^\| `(\w+)` +\| .* \| (.*?) *\|$/gm)].map(
    ([, folder, may]) => [folder!, may!] as const,
  );
  const expected = Object.entries(IMPORT_TABLE).map(([folder, rule]) => {
    const may = rule.may === 'everything' ? 'everything' : rule.may.length === 0 ? 'nothing' : rule.may.join(', ');
    return [folder, rule.types ? `${may} (types: ${rule.types.join(', ')})` : may] as const;
  });
  expect(new Map(rows)).toEqual(new Map(expected));
});
