/** What the files of a folder may import from the others. */
export interface Rule {
  /** Folders to import anything from. `base` and the folder itself need no mention. */
  readonly may: readonly string[] | 'everything';
  /** Folders to import types from, which leave nothing behind when the file runs. */
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
 * `benchmarks` and `suites` are folders at the top. A folder that is not here is an error: it has no place in the picture yet. Tests
 * (`*.test.ts`) may import anything, because nothing imports them.
 */
export const IMPORT_TABLE: Readonly<Record<string, Rule>> = {
  base: { may: [] },
  releases: { may: [] },
  arch: { may: ['releases'] },
  net: { may: [] },
  // What switches the power of machines.
  bmc: { may: [] },
  // What runs in a guest; as files of an image it is of that type.
  guest: { may: ['releases'], types: ['images'] },
  events: { may: ['arch'] },
  // Kinds of target, deployers, formats of results and kinds of engine are those that there are.
  config: { may: ['arch', 'releases', 'targets', 'results', 'stacks', 'yaml', 'engines'], types: ['events', 'bmc'] },
  // A cell's architecture, release and kind of target are named in the type of the cell itself.
  matrix: { may: ['config', 'yaml', 'arch', 'releases', 'targets', 'stacks', 'events'] },
  // What `init` writes is checked as the loader would.
  scaffold: { may: ['config', 'yaml', 'stacks'] },
  images: { may: ['arch', 'releases', 'guest', 'setup'] },
  // Fields name what there is.
  yaml: { may: ['arch', 'releases', 'targets'] },
  // A project's files, as they are copied to machines.
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
  // What tests of several folders need. Nothing but tests may import it.
  testing: { may: 'everything' },
  // Tests with real guests.
  e2e: { may: 'everything', prints: true },
  // The programs that measure for docs/performance.md.
  benchmarks: { may: 'everything', prints: true },
  // It runs before anything is installed, so it may not even use `base`.
  setup: { may: [], prints: true },
  // By the package's name, as every user's suite does.
  suites: { may: ['scenario'] },
};
