import { execa } from 'execa';
import { expect, test } from 'vitest';
import { tempFiles } from '../../testing/temp-files.ts';
import { CI_SYSTEMS, originOf } from './origin.ts';

/** Variables as the documentation of each system has them. */
const jobs: Record<string, { env: Record<string, string>; origin: object }> = {
  'GitHub, a pull request': {
    env: {
      GITHUB_ACTIONS: 'true',
      GITHUB_REPOSITORY: 'octo/widget',
      GITHUB_BASE_REF: 'main',
      GITHUB_HEAD_REF: 'fix',
      GITHUB_REF: 'refs/pull/12/merge',
      GITHUB_REF_NAME: '12/merge',
      GITHUB_WORKFLOW: 'check',
      GITHUB_EVENT_NAME: 'pull_request',
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_RUN_ID: '77',
    },
    origin: {
      ci: 'GitHub Actions',
      project: 'octo/widget',
      branch: 'main',
      pipeline: 'check (pull_request)',
      change: '#12',
      url: 'https://github.com/octo/widget/actions/runs/77',
    },
  },
  'GitHub, a push': {
    env: {
      GITHUB_ACTIONS: 'true',
      GITHUB_REPOSITORY: 'octo/widget',
      GITHUB_BASE_REF: '',
      GITHUB_REF: 'refs/heads/release/2',
      GITHUB_REF_NAME: 'release/2',
      GITHUB_WORKFLOW: 'check',
    },
    origin: { ci: 'GitHub Actions', project: 'octo/widget', branch: 'release/2', pipeline: 'check' },
  },
  'GitLab, a merge request': {
    env: {
      GITLAB_CI: 'true',
      CI_PROJECT_PATH: 'group/sub/widget',
      CI_MERGE_REQUEST_TARGET_BRANCH_NAME: 'main',
      CI_COMMIT_REF_NAME: 'fix',
      CI_PIPELINE_SOURCE: 'merge_request_event',
      CI_MERGE_REQUEST_IID: '7',
      CI_JOB_URL: 'https://gitlab.example/group/sub/widget/-/jobs/9',
    },
    origin: {
      ci: 'GitLab CI',
      project: 'group/sub/widget',
      branch: 'main',
      pipeline: 'merge_request_event',
      change: '!7',
      url: 'https://gitlab.example/group/sub/widget/-/jobs/9',
    },
  },
  'Buildkite, no pull request': {
    env: {
      BUILDKITE: 'true',
      BUILDKITE_REPO: 'git@example.org:octo/widget.git',
      BUILDKITE_BRANCH: 'main',
      BUILDKITE_PULL_REQUEST: 'false',
      BUILDKITE_PULL_REQUEST_BASE_BRANCH: '',
      BUILDKITE_PIPELINE_SLUG: 'widget-tests',
      BUILDKITE_SOURCE: 'schedule',
      BUILDKITE_BUILD_URL: 'https://buildkite.com/octo/widget-tests/builds/1',
    },
    origin: {
      ci: 'Buildkite',
      project: 'octo/widget',
      branch: 'main',
      pipeline: 'widget-tests (schedule)',
      url: 'https://buildkite.com/octo/widget-tests/builds/1',
    },
  },
  'Jenkins, a pull request of a multibranch pipeline': {
    env: {
      JENKINS_URL: 'https://ci.example/',
      GIT_URL: 'https://example.org/octo/widget.git',
      CHANGE_ID: '5',
      CHANGE_TARGET: 'main',
      BRANCH_NAME: 'PR-5',
      JOB_NAME: 'widget/PR-5',
      BUILD_URL: 'https://ci.example/job/widget/1/',
    },
    origin: {
      ci: 'Jenkins',
      project: 'octo/widget',
      branch: 'main',
      pipeline: 'widget/PR-5',
      change: '#5',
      url: 'https://ci.example/job/widget/1/',
    },
  },
  'Jenkins, a change of Gerrit': {
    env: {
      JENKINS_URL: 'https://ci.example/',
      GERRIT_PROJECT: 'openstack/nova',
      GERRIT_BRANCH: 'master',
      GERRIT_CHANGE_NUMBER: '901234',
      GERRIT_PATCHSET_NUMBER: '3',
      JOB_NAME: 'gate',
    },
    origin: { ci: 'Jenkins', project: 'openstack/nova', branch: 'master', pipeline: 'gate', change: '901234,3' },
  },
  Zuul: {
    env: {
      ZUUL_PROJECT: 'openstack/nova',
      ZUUL_BRANCH: 'master',
      ZUUL_PIPELINE: 'check-arm64',
      ZUUL_CHANGE: '901234',
      ZUUL_PATCHSET: '3',
    },
    origin: { ci: 'Zuul', project: 'openstack/nova', branch: 'master', pipeline: 'check-arm64', change: '901234,3' },
  },
  'Azure, a pull request of GitHub': {
    env: {
      TF_BUILD: 'True',
      BUILD_REPOSITORY_NAME: 'octo/widget',
      SYSTEM_PULLREQUEST_TARGETBRANCH: 'refs/heads/main',
      SYSTEM_PULLREQUEST_PULLREQUESTID: '99887766',
      SYSTEM_PULLREQUEST_PULLREQUESTNUMBER: '4',
      BUILD_SOURCEBRANCH: 'refs/pull/4/merge',
      BUILD_SOURCEBRANCHNAME: 'merge',
      BUILD_DEFINITIONNAME: 'tests',
      BUILD_REASON: 'PullRequest',
      SYSTEM_COLLECTIONURI: 'https://dev.azure.com/octo/',
      SYSTEM_TEAMPROJECT: 'widgets',
      BUILD_BUILDID: '31',
    },
    origin: {
      ci: 'Azure Pipelines',
      project: 'octo/widget',
      branch: 'main',
      pipeline: 'tests (PullRequest)',
      change: '#4',
      url: 'https://dev.azure.com/octo/widgets/_build/results?buildId=31',
    },
  },
};

test.each(Object.entries(jobs))('%s', async (_, { env, origin }) => {
  await using files = await tempFiles({ file: '' });
  expect(await originOf(files.folder, env)).toEqual(origin);
});

test('every system has a job here', () => {
  const tried = new Set(Object.values(jobs).map(({ origin }) => (origin as { ci: string }).ci));
  expect(CI_SYSTEMS.map(({ name }) => name).filter((name) => !tried.has(name))).toEqual([]);
});

test('without a CI git says the branch and the project, and nothing of a password', async () => {
  await using files = await tempFiles({ file: '' });
  const git = (...args: string[]) => execa('git', ['-C', files.folder, ...args]);
  await git('init', '--quiet', '--initial-branch', 'topic/one');
  expect(await originOf(files.folder, {})).toEqual({
    project: files.folder.split('/').at(-1),
    branch: 'topic/one',
  });
  for (const address of [
    'https://me:secret@example.org/octo/widget.git',
    'git@example.org:octo/widget',
    '/srv/octo/widget/',
  ]) {
    await git('config', 'remote.origin.url', address);
    expect(await originOf(files.folder, {}), address).toEqual({ project: 'octo/widget', branch: 'topic/one' });
  }
  await git('config', 'remote.origin.url', 'https://secret@example.org/widget');
  expect(JSON.stringify(await originOf(files.folder, {}))).not.toContain('secret');
});
