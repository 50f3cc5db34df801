import type { Store } from "./store.ts";

/** A smaller difference does no harm. */
const HARMLESS_MS = 5_000;

/**
 * Resolves with how far this machine's clock is ahead of the database's, in milliseconds, negative if it is behind;
 * undefined if they agree within 5 s as far as one can tell, or the database cannot be asked. `now` returns milliseconds
 * since 1970.
 */
export async function clockDifference(
  store: Pick<Store, "clock">,
  now: () => number,
): Promise<number | undefined> {
  const before = now();
  const at = await store.clock?.().catch(() => undefined);
  const after = now();
  if (at === undefined) return undefined;
  // It was read some time between the two.
  const aheadMs = before > at ? before - at : Math.min(after - at, 0);
  return Math.abs(aheadMs) > HARMLESS_MS ? Math.round(aheadMs) : undefined;
}
