import imported, { type Builder, type TestCase, type TestSuite } from 'junit-report-builder';

/**
 * What junit-report-builder cannot say: attributes beyond its own, the message of a skipped test, flaky and rerun
 * elements, text with `]]>` in it twice. All of it is added through the one public door that the package leaves open:
 * a node's `build(parent)` returns the element that it made.
 */
type XmlElement = ReturnType<TestCase['build']>;
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

/** A builder of its own: the package's export is one that everybody shares. */
export function newBuilder(): Builder {
  // Its types describe an ES module, but Node gets CommonJS, where the export is the builder itself.
  return (imported as unknown as Builder).newBuilder();
}

export function extendSuite(suite: TestSuite, attributes: Attributes): void {
  onBuilt(suite, (element) => setAttributes(element, attributes));
}

export function extendCase(testCase: TestCase, extras: CaseExtras): void {
  onBuilt(testCase, (element) => {
    setAttributes(element, extras.attributes ?? {});
    const outcome = childOf(element, ['failure', 'error', 'skipped']);
    if (outcome && extras.skippedMessage !== undefined) outcome.att('message', extras.skippedMessage);
    if (outcome && extras.text) addText(outcome, extras.text);
    for (const { element: name, message, type, text, systemOut } of extras.reruns ?? []) {
      const rerun = element.ele(name, { message, type });
      addText(rerun.ele('stackTrace'), text);
      if (systemOut) addText(rerun.ele('system-out'), systemOut);
    }
    if (extras.systemOut) addText(element.ele('system-out'), extras.systemOut);
  });
}

/** The document, its root as Jenkins' schema has it: with a time, in seconds, and without `skipped`. */
export function buildXml(builder: Builder, time: string): string {
  const xml = builder.build();
  // Quoted values may hold a `>`, so the root's tag is matched attribute by attribute.
  const root = /^(<\?xml[^>]*\?>\s*<testsuites)((?:\s+[\w.-]+="[^"]*")*)/;
  return xml.replace(
    root,
    (_match, open: string, attributes: string) => `${open}${attributes.replace(/\s+skipped="\d+"/, '')} time="${time}"`,
  );
}

function onBuilt(node: TestCase | TestSuite, decorate: (element: XmlElement) => void): void {
  const build = node.build.bind(node) as (parent?: XmlElement) => XmlElement;
  node.build = (parent?: XmlElement) => {
    const element = build(parent);
    decorate(element);
    return element;
  };
}

function setAttributes(element: XmlElement, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) element.att(name, String(value));
}

function childOf(element: XmlElement, names: readonly string[]): XmlElement | undefined {
  return (element.children as unknown as readonly (XmlElement & { readonly name: string })[]).find(({ name }) =>
    names.includes(name),
  );
}

/** CDATA, as some readers do not decode entities; but the package splits only the first `]]>` of a text. */
function addText(element: XmlElement, text: string): void {
  if (text.includes(']]>')) element.txt(text);
  else element.cdata(text);
}
