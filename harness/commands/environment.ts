/**
 * What a command's environment says of where it runs.
 * @param scale how many times slower than a native machine it is, for programs that keep deadlines of their own.
 */
export function environmentOf(suite: { readonly name: string }, arch: string, scale: number): Record<string, string> {
  return {
    CI: 'true',
    HARNESS: 'true',
    HARNESS_ARCH: arch,
    HARNESS_SUITE: suite.name,
    HARNESS_SCALE: String(scale),
  };
}
