import { basename } from 'node:path';
import { git } from '../../base/git.ts';
import type { Origin } from '../../events/types.ts';

/** `{NAME}` in a template is a variable; a template with an unset or empty variable is skipped. */
type Template =
  | string
  /** A variable, the pattern that it must match, and the replacement for the match. */
  | readonly [variable: string, pattern: RegExp, made: string];

interface CiSystem {
  readonly name: string;
  /** Set and not empty in every job of the system. */
  readonly known: string;
  /** The first usable template. For a change, the branch is its target branch, not its source. */
  readonly origin: Readonly<Record<Exclude<keyof Origin, 'ci'>, readonly Template[]>>;
}

/** Reads the branch from the name of a git reference. */
const HEAD = /^refs\/heads\/(.+)$/;

/** `owner/name` at the end of a repository's URL. The rest is dropped, because it may contain a password. */
const REPOSITORY = /([^/:@]+\/[^/:@]+?)(?:\.git)?\/?$/;

/** The CI systems whose variables are read, one entry each. More specific ones come first. */
export const CI_SYSTEMS: readonly CiSystem[] = [
  {
    // Zuul gives its variables to Ansible; jobs pass them on under the names of version 2.
    name: 'Zuul',
    known: 'ZUUL_PIPELINE',
    origin: {
      project: ['{ZUUL_PROJECT}'],
      branch: ['{ZUUL_BRANCH}'],
      pipeline: ['{ZUUL_PIPELINE}'],
      change: ['{ZUUL_CHANGE},{ZUUL_PATCHSET}', '{ZUUL_CHANGE}'],
      url: ['{ZUUL_BUILD_URL}'],
    },
  },
  {
    name: 'GitHub Actions',
    known: 'GITHUB_ACTIONS',
    origin: {
      project: ['{GITHUB_REPOSITORY}'],
      branch: ['{GITHUB_BASE_REF}', '{GITHUB_REF_NAME}'],
      pipeline: ['{GITHUB_WORKFLOW} ({GITHUB_EVENT_NAME})', '{GITHUB_WORKFLOW}'],
      change: [['GITHUB_REF', /^refs\/pull\/(\d+)\//, '#$1']],
      url: ['{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}'],
    },
  },
  {
    name: 'GitLab CI',
    known: 'GITLAB_CI',
    origin: {
      project: ['{CI_PROJECT_PATH}'],
      branch: ['{CI_MERGE_REQUEST_TARGET_BRANCH_NAME}', '{CI_COMMIT_REF_NAME}'],
      pipeline: ['{CI_PIPELINE_NAME} ({CI_PIPELINE_SOURCE})', '{CI_PIPELINE_SOURCE}'],
      change: ['!{CI_MERGE_REQUEST_IID}'],
      url: ['{CI_JOB_URL}', '{CI_PIPELINE_URL}'],
    },
  },
  {
    name: 'Buildkite',
    known: 'BUILDKITE',
    origin: {
      project: [['BUILDKITE_REPO', REPOSITORY, '$1'], '{BUILDKITE_ORGANIZATION_SLUG}/{BUILDKITE_PIPELINE_SLUG}'],
      branch: ['{BUILDKITE_PULL_REQUEST_BASE_BRANCH}', '{BUILDKITE_BRANCH}'],
      pipeline: ['{BUILDKITE_PIPELINE_SLUG} ({BUILDKITE_SOURCE})', '{BUILDKITE_PIPELINE_SLUG}'],
      // It is `false` if there is none.
      change: [['BUILDKITE_PULL_REQUEST', /^(\d+)$/, '#$1']],
      url: ['{BUILDKITE_BUILD_URL}'],
    },
  },
  {
    name: 'Azure Pipelines',
    known: 'TF_BUILD',
    origin: {
      project: ['{BUILD_REPOSITORY_NAME}'],
      branch: [
        ['SYSTEM_PULLREQUEST_TARGETBRANCH', HEAD, '$1'],
        '{SYSTEM_PULLREQUEST_TARGETBRANCH}',
        ['BUILD_SOURCEBRANCH', HEAD, '$1'],
        '{BUILD_SOURCEBRANCHNAME}',
      ],
      pipeline: ['{BUILD_DEFINITIONNAME} ({BUILD_REASON})', '{BUILD_DEFINITIONNAME}'],
      // The number exists for GitHub repositories only; Azure's own have just the identifier.
      change: ['#{SYSTEM_PULLREQUEST_PULLREQUESTNUMBER}', '!{SYSTEM_PULLREQUEST_PULLREQUESTID}'],
      url: ['{SYSTEM_COLLECTIONURI}{SYSTEM_TEAMPROJECT}/_build/results?buildId={BUILD_BUILDID}'],
    },
  },
  {
    name: 'Jenkins',
    known: 'JENKINS_URL',
    origin: {
      project: ['{GERRIT_PROJECT}', ['GIT_URL', REPOSITORY, '$1']],
      branch: ['{GERRIT_BRANCH}', '{CHANGE_TARGET}', '{BRANCH_NAME}', ['GIT_BRANCH', /^(?:origin\/)?(.+)$/, '$1']],
      pipeline: ['{JOB_NAME}'],
      change: ['{GERRIT_CHANGE_NUMBER},{GERRIT_PATCHSET_NUMBER}', '#{CHANGE_ID}'],
      url: ['{BUILD_URL}'],
    },
  },
];

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The origin of a run: from the CI system's variables and, for what they do not say, from git.
 * @param folder the project's.
 */
export async function originOf(folder: string, env: Env): Promise<Origin> {
  const system = CI_SYSTEMS.find(({ known }) => env[known]);
  const said = system ? { ci: system.name, ...valuesOf(system, env) } : {};
  const fromGit = await gitOrigin(folder);
  return { ...fromGit, ...said };
}

function valuesOf({ origin }: CiSystem, env: Env): Origin {
  const values = Object.entries(origin).map(([name, templates]) => {
    const found = templates.map((template) => filled(template, env)).find((value) => value !== undefined);
    return [name, found?.slice(0, LONGEST)] as const;
  });
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

/** Maximum characters of a value: variables are untrusted and may be long. */
const LONGEST = 500;

function filled(template: Template, env: Env): string | undefined {
  if (typeof template !== 'string') {
    const [variable, pattern, made] = template;
    const [match] = pattern.exec(env[variable] ?? '') ?? [];
    return match?.replace(pattern, made);
  }
  let isWhole = true;
  const text = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = env[name];
    isWhole &&= value !== undefined && value !== '';
    return value ?? '';
  });
  return isWhole ? text : undefined;
}

/** The branch, and the project: from the URL of its repository or the name of its folder. */
async function gitOrigin(folder: string): Promise<Origin> {
  const ask = async (...args: string[]) => {
    const { stdout, failed } = await git(folder, ...args);
    return failed || stdout.trim() === '' ? undefined : stdout.trim();
  };
  const [branch, remote, top] = await Promise.all([
    ask('symbolic-ref', '--quiet', '--short', 'HEAD'),
    ask('remote', 'get-url', 'origin'),
    ask('rev-parse', '--show-toplevel'),
  ]);
  const [, repository] = REPOSITORY.exec(remote ?? '') ?? [];
  return { project: repository ?? basename(top ?? folder), ...(branch === undefined ? {} : { branch }) };
}
