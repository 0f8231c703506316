import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { CHECKOUT } from '../e2e/support/checkout-copy.ts';
import { makeProject, type TestProject } from '../e2e/support/project.ts';

/** A deliberate slowdown of the project, and the first night that has it. */
export interface Injected {
  /** From 1: the first night that has it. */
  readonly night: number;
  readonly subject: string;
  readonly file: string;
  readonly edit: (text: string) => string;
}

/** The two injected changes, each to one part of the stack. */
export function injected(nights: number): readonly Injected[] {
  return [
    {
      night: Math.round(nights * 0.4) + 1,
      subject: 'Every answer of the application has a checksum',
      file: 'suites/web/app/app.psgi',
      // A sum over the body, repeated so often that an answer costs half a million more instructions.
      edit: (text) =>
        replaced(
          text,
          'my ($status, $json) = @_;\n',
          'my ($status, $json) = @_;\n    my $sum = 0;\n    for my $round (1 .. 40) { $sum = ($sum * 31 + ord) % 65521 for split //, $json }\n',
        ),
    },
    {
      night: Math.round(nights * 0.7) + 1,
      subject: 'Addresses of the old site lead to the new one',
      file: 'suites/web/conf/nginx.conf',
      edit: (text) =>
        replaced(
          text,
          'index index.html;\n',
          `index index.html;\n${Array.from({ length: 100 }, (_, page) => `        rewrite ^/old/page-${page}/ /about/ permanent;\n`).join('')}`,
        ),
    },
  ];
}

function replaced(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`the suite web has no ${JSON.stringify(from)} any more`);
  return text.replace(from, to);
}

/** The same requests, made by a client in the guest, so that their whole cost is executed there. */
const counted = `import { test } from 'multiarch-harness';

const requests = (path: string) => ['perl', '-MIO::Socket::INET', '-e', \`for (1 .. 15) {
  my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => 80) or die "no connection: $@";
  print $s "GET \${path} HTTP/1.0\\r\\n\\r\\n"; local $/; my $answer = <$s>; die $answer if $answer !~ / 200 /;
}\`];

test('application, counted', ({ measure }) => measure.instructions(requests('/app/health'), { samples: 6, warmup: 1, operations: 15, per: 'request' }));
test('static page, counted', ({ measure }) => measure.instructions(requests('/ping.txt'), { samples: 6, warmup: 1, operations: 15, per: 'request' }));
test('gzip, counted', async ({ measure }) => {
  await measure.instructions('seq 1 20000 | gzip -1 > /dev/null', { samples: 6, warmup: 1 });
});
`;

const application = `import { expect, test } from 'multiarch-harness';
import { http, keepAlive } from './http.ts';

test('application over 4 connections', async ({ stack, measure }) => {
  using agent = keepAlive(4);
  const url = stack.url('http', '/app/health');
  await measure.onController(
    async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => http(url, { agent })));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(20);
    },
    { samples: 10, operations: 20, per: 'request' },
  );
});
`;

/** Scenarios that take long and are irrelevant to the measurement. */
const LEFT_OUT = ['persistence.scenario.ts', 'unplug.scenario.ts', 'reload.scenario.ts', 'counter.scenario.ts'];

/** A git project with the suite `web`, its benchmarks, three more that count instructions, and a matrix `nights`. */
export async function nightsProject(archs: string): Promise<TestProject> {
  const files: Record<string, string> = {
    'matrices/nights.yaml': `arch: [${archs}]\nsuite: [web]\n`,
    'README.md': '# The project of the nights\n',
    '.gitignore': '.harness/\nhistory/\nstate/\n',
    'suites/web/application.bench.ts': application,
    'suites/web/counted.bench.ts': counted,
  };
  const suite = join(CHECKOUT, 'suites/web');
  for (const entry of await readdir(suite, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !LEFT_OUT.includes(entry.name))
      files[join('suites/web', path.slice(suite.length + 1))] = await readFile(path, 'utf8');
  }
  const project = await makeProject(files);
  await git(project, 'init', '-q', '-b', 'main');
  await commit(project, 'The suite web');
  return project;
}

/** The commits of a day: a note, and the change injected for this night. */
export async function dayBefore(project: TestProject, night: number, changes: readonly Injected[]): Promise<void> {
  await change(project, 'README.md', (text) => `${text}\nDay ${night}: nothing that runs was touched.\n`);
  await commit(project, `Notes of day ${night}`);
  for (const { file, edit, subject } of changes.filter((one) => one.night === night)) {
    await change(project, file, edit);
    await commit(project, subject);
  }
  await change(project, 'suites/web/web.bench.ts', (text) => `${text}// Looked at on day ${night}.\n`);
  await commit(project, `The benchmarks, looked at on day ${night}`);
}

async function change({ folder }: TestProject, name: string, edit: (text: string) => string): Promise<void> {
  const file = join(folder, name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, edit(await readFile(file, 'utf8')));
}

async function git({ folder }: TestProject, ...args: string[]): Promise<string> {
  const { stdout } = await execa('git', [
    '-C',
    folder,
    '-c',
    'user.name=nights',
    '-c',
    'user.email=nights@example.org',
    ...args,
  ]);
  return stdout;
}

async function commit(project: TestProject, subject: string): Promise<void> {
  await git(project, 'add', '-A');
  await git(project, 'commit', '-q', '-m', subject);
}
