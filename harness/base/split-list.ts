/** The values of an option that may be given several times and hold comma-separated lists: `a,b` and `a` `b` alike. */
export function splitList(values: readonly string[] | undefined): string[] {
  return (values ?? [])
    .flatMap((value) => value.split(','))
    .map((value) => value.trim())
    .filter((value) => value !== '');
}
