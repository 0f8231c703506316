import imported, { type Builder, type TestSuite } from 'junit-report-builder';
import { create, type XMLElement } from 'xmlbuilder';

/**
 * Adds what junit-report-builder cannot express: other attributes, the message of a skipped test, flaky and rerun
 * elements, text with `]]>` in it twice. Its public `build(parent)` puts a suite under an element of xmlbuilder, on
 * which it is based, and returns the suite's; the rest is added to that.
 */
type Attributes = Readonly<Record<string, string | number>>;

/** An attempt that failed before the last one, or after the first. */
export interface Rerun {
  readonly element: 'flakyFailure' | 'flakyError' | 'rerunFailure' | 'rerunError';
  readonly message: string;
  readonly type: string;
  readonly text: string;
  /** What it printed. */
  readonly systemOut?: string;
}

export interface CaseExtras {
  readonly attributes?: Attributes;
  /** The text of `<failure>`, `<error>` or `<skipped>`, whichever the case has. */
  readonly text?: string;
  readonly skippedMessage?: string;
  readonly reruns?: readonly Rerun[];
  readonly systemOut?: string;
}

/** A suite of junit-report-builder, with the additions for itself and its cases, in order. */
export interface ExtendedSuite {
  readonly suite: TestSuite;
  readonly attributes: Attributes;
  readonly cases: readonly CaseExtras[];
}

/** A separate builder: the package's export is a shared one. */
export function newBuilder(): Builder {
  // Its types describe an ES module, but Node gets CommonJS, where the export is the builder itself.
  return (imported as unknown as Builder).newBuilder();
}

/** The document, its root as Jenkins' schema has it: with a time, in seconds, and without `skipped`. */
export function buildXml(name: string, time: string, suites: readonly ExtendedSuite[]): string {
  const sum = (count: (suite: TestSuite) => number) => suites.reduce((total, { suite }) => total + count(suite), 0);
  const root = create('testsuites', { encoding: 'UTF-8', invalidCharReplacement: '' });
  setAttributes(root, {
    name,
    tests: sum((suite) => suite.getTestCaseCount()),
    failures: sum((suite) => suite.getFailureCount()),
    errors: sum((suite) => suite.getErrorCount()),
    time,
  });
  for (const { suite, attributes, cases } of suites) {
    const element = suite.build(root);
    setAttributes(element, attributes);
    for (const [index, testCase] of childrenOf(element, ['testcase']).entries()) extend(testCase, cases[index]!);
  }
  return root.end({ pretty: true });
}

function extend(testCase: XMLElement, extras: CaseExtras): void {
  setAttributes(testCase, extras.attributes ?? {});
  const [outcome] = childrenOf(testCase, ['failure', 'error', 'skipped']);
  if (outcome && extras.skippedMessage !== undefined) outcome.att('message', extras.skippedMessage);
  if (outcome && extras.text) addText(outcome, extras.text);
  for (const { element, message, type, text, systemOut } of extras.reruns ?? []) {
    const rerun = testCase.ele(element, { message, type });
    addText(rerun.ele('stackTrace'), text);
    if (systemOut) addText(rerun.ele('system-out'), systemOut);
  }
  if (extras.systemOut) addText(testCase.ele('system-out'), extras.systemOut);
}

function setAttributes(element: XMLElement, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) element.att(name, String(value));
}

function childrenOf(element: XMLElement, names: readonly string[]): readonly XMLElement[] {
  // Its types call them DOM nodes, which they are, except for their methods.
  const children = element.children as unknown as readonly (XMLElement & { readonly name: string })[];
  return children.filter(({ name }) => names.includes(name));
}

/** CDATA, as some readers do not decode entities; but the package splits only the first `]]>` of a text. */
function addText(element: XMLElement, text: string): void {
  if (text.includes(']]>')) element.txt(text);
  else element.cdata(text);
}
