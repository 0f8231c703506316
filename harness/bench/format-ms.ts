/** Milliseconds for an error's message: `1.23 ms`, `45.6 µs`, `80 ns`. Reports have their own formatter. */
export function formatMs(ms: number): string {
  const [value, unit] = ms >= 1 || ms === 0 ? [ms, 'ms'] : ms >= 0.001 ? [ms * 1e3, 'µs'] : [ms * 1e6, 'ns'];
  return `${Number(value.toPrecision(3))} ${unit}`;
}
