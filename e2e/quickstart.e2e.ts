import { beforeAll, describe, expect, test } from 'vitest';
import type { Results } from '../reports/results-schema.ts';
import { makeProject, type TestProject, troubles } from './support/project.ts';

/** The matrices that come with the package, on three real guests. */
describe.each(['quickstart', 'smoke'])('%s', (matrix) => {
  let project: TestProject;
  let results: Results;
  let exitCode: number;

  beforeAll(async () => {
    // An empty project: matrix and suites are found in the package.
    project = await makeProject({});
    ({ exitCode } = await project.harness(['run', matrix]));
    results = await project.results();
    return () => project[Symbol.asyncDispose]();
  });

  test('passes on amd64, arm64 and ppc64le', () => {
    expect(troubles(results)).toEqual([]);
    expect(results.cells.map(({ arch }) => arch)).toEqual(['amd64', 'arm64', 'ppc64le']);
    expect(exitCode).toBe(0);
  });

  test('runs the same scenarios and benchmarks on each', () => {
    const named = results.cells.map((cell) => cell.tests.map(({ file, name }) => `${file} ${name}`));
    expect(named[0]?.length).toBeGreaterThan(10);
    expect(named[1]).toEqual(named[0]);
    expect(named[2]).toEqual(named[0]);
    const measured = results.cells.map((cell) => cell.benchmarks.map(({ name }) => name));
    expect(measured[0]?.length).toBeGreaterThan(1);
    expect(measured[1]).toEqual(measured[0]);
    expect(measured[2]).toEqual(measured[0]);
  });

  test('says of every cell what it ran on', () => {
    for (const { facts, scale } of results.cells) {
      expect(facts?.emulator).toMatch(/^QEMU \d/);
      expect(facts?.kernel).toMatch(/^\d/);
      expect(scale?.factor).toBeGreaterThanOrEqual(1);
    }
  });
});
