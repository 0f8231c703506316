import { expect, test } from 'vitest';
import type { TestResult } from '../../harness/events/result.ts';
import { type Column, differenceOf } from './difference.ts';

const ARCHS = ['amd64', 'arm64', 'ppc64le'] as const;
const of = (verdict: TestResult['verdict'], durationMs = 1): TestResult => ({
  step: 'scenarios',
  file: 'a.scenario.ts',
  name: 'a test',
  verdict,
  durationMs,
  attempts: [],
});
const columns = (...results: readonly (TestResult | undefined)[]): Column[] =>
  results.map((result, index) => ({ arch: ARCHS[index]!, result, emulated: true, tested: true }));

test.each([
  ['fails only on ppc64le', of('passed'), of('passed'), of('failed')],
  ['fails on arm64, ppc64le', of('flaky'), of('failed'), of('failed')],
  ['fails only on arm64, is lost only on ppc64le', of('passed'), of('failed'), of('infra')],
  ['does not end on arm64', of('passed'), of('incomplete'), of('skipped')],
])('some pass and some do not: %s', (words, ...results) => {
  expect(differenceOf(columns(...results))).toEqual({ kind: 'verdict', words });
});

test.each([
  { words: 'is skipped only on ppc64le', results: [of('passed'), of('passed'), of('skipped')] },
  {
    words: 'is skipped only on arm64, is not there only on ppc64le',
    results: [of('failed'), of('skipped'), undefined],
  },
])('some run and some do not: $words', ({ words, results }) => {
  expect(differenceOf(columns(...results))).toEqual({ kind: 'presence', words });
});

test('equal results have no difference, nor do missing results of a lost cell', () => {
  expect(differenceOf(columns(of('failed'), of('failed'), of('failed')))).toBeUndefined();
  expect(differenceOf(columns(of('skipped'), of('skipped'), of('skipped')))).toBeUndefined();
  const lost: Column = { arch: 'ppc64le', result: undefined, emulated: undefined, tested: false };
  expect(differenceOf([...columns(of('passed'), of('passed')), lost])).toBeUndefined();
});

test('times are compared above a minimal length and ratio, and never emulated with native ones', () => {
  expect(differenceOf(columns(of('passed', 300), of('passed', 400), of('passed', 900)))).toEqual({
    kind: 'time',
    ratio: 3,
    words: 'ppc64le 3.00× amd64',
  });
  expect(differenceOf(columns(of('passed', 1), of('passed', 90)))).toBeUndefined();
  expect(differenceOf(columns(of('passed', 1000), of('passed', 1400)))).toBeUndefined();
  expect(differenceOf(columns(of('passed', 0), of('passed', 400)))).toBeUndefined();
  const [native, emulated] = columns(of('passed', 300), of('passed', 3000)) as [Column, Column];
  expect(differenceOf([{ ...native, emulated: false }, emulated])).toBeUndefined();
});
