/**
 * An operation that takes longer than this hangs, even on a slow machine. Shorter than the time limit of a
 * test.
 */
export const HANG_MS = 120_000;

/**
 * Resolves once `isSo` returns true; rejects, with the source of `isSo`, if that takes longer than `HANG_MS`.
 */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const limit = performance.now() + HANG_MS;
  while (!(await isSo())) {
    if (performance.now() > limit) throw new Error(`this did not become true: ${isSo}`);
    await Bun.sleep(2);
  }
}
