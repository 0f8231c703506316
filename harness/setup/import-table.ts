/** What the files of a folder may import from others. */
export interface Rule {
  /** Folders that may be imported. `base` and the folder itself are always allowed. */
  readonly may: readonly string[] | 'everything';
  /** Folders of which only types may be imported; these imports do not exist at run time. */
  readonly types?: readonly string[];
  /** Its files may write to the terminal. */
  readonly prints?: boolean;
}

const BELOW_RUN = [
  ...['arch', 'releases', 'config', 'matrix', 'images', 'targets', 'net', 'stacks', 'scenario', 'bench', 'events'],
  ...['source', 'commands', 'yaml', 'bmc'],
];

/**
 * The table of `docs/architecture.md`, as data. A folder of `harness/` goes by its own name, `reports`, `e2e`,
 * `benchmarks` and `suites` are top-level folders. A folder that is missing here is an error: add it to both tables.
 * Tests (`*.test.ts`) may import anything, because nothing imports them.
 */
export const IMPORT_TABLE: Readonly<Record<string, Rule>> = {
  base: { may: [] },
  releases: { may: [] },
  arch: { may: ['releases'] },
  net: { may: [] },
  // Switches the power of machines.
  bmc: { may: [] },
  // Code that runs in a guest; its files are of the type of an image's files.
  guest: { may: ['releases'], types: ['images'] },
  events: { may: ['arch'] },
  // Schemas name the existing kinds of target, deployers, formats of results and kinds of engine.
  config: { may: ['arch', 'releases', 'targets', 'results', 'stacks', 'yaml', 'engines'], types: ['events', 'bmc'] },
  // A cell's type names architectures, releases and kinds of target.
  matrix: { may: ['config', 'yaml', 'arch', 'releases', 'targets', 'stacks', 'events'] },
  // What `init` writes is checked as the loader does.
  scaffold: { may: ['config', 'yaml', 'stacks'] },
  images: { may: ['arch', 'releases', 'guest', 'setup'] },
  // Fields name the existing architectures, releases and kinds of target.
  yaml: { may: ['arch', 'releases', 'targets'] },
  // A project's files, which are copied to machines.
  source: { may: [] },
  targets: { may: ['arch', 'images', 'guest', 'net', 'bmc', 'setup'], types: ['events'] },
  stacks: { may: ['arch', 'targets', 'images', 'yaml', 'setup'], types: ['config'] },
  commands: { may: ['arch', 'config', 'targets', 'stacks', 'source', 'results', 'events'] },
  results: { may: [] },
  bench: { may: ['arch', 'targets', 'events'] },
  compare: { may: ['bench', 'events', 'arch'] },
  nights: { may: ['bench', 'events', 'arch'] },
  scenario: { may: ['arch', 'targets', 'net', 'stacks', 'bench', 'config', 'events'] },
  run: { may: BELOW_RUN },
  // An engine knows nothing of tests.
  engines: { may: [] },
  fleet: { may: ['arch', 'targets', 'engines', 'config', 'matrix', 'events', 'source', 'run'] },
  reports: { may: ['events', 'bench', 'nights', 'arch'], prints: true },
  cli: { may: 'everything', prints: true },
  // Shared by tests of several folders; only tests may import it.
  testing: { may: 'everything' },
  // Tests with real guests.
  e2e: { may: 'everything', prints: true },
  // The programs that measure for docs/performance.md.
  benchmarks: { may: 'everything', prints: true },
  // Runs before anything is installed, so it may not even use `base`.
  setup: { may: [], prints: true },
  // Imports by the package's name, like every user's suite.
  suites: { may: ['scenario'] },
};
