/** The variables that tell a command where it runs. */
export function environmentOf(suite: { readonly name: string }, arch: string): Record<string, string> {
  return { CI: 'true', HARNESS: 'true', HARNESS_ARCH: arch, HARNESS_SUITE: suite.name };
}
