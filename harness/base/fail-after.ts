/**
 * Gives back what failed work had taken, and throws why it failed, also when giving back fails: what stays is in the
 * run's lease, where gc finds it, and why the work failed would be lost.
 */
export async function failAfter(why: unknown, giveBack: () => PromiseLike<unknown>): Promise<never> {
  await Promise.allSettled([giveBack()]);
  throw why;
}
