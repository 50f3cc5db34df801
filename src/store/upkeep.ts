import { DAY_MS, HOUR_MS } from "../durations.ts";
import { every as onTimer } from "../time.ts";
import { clockDifference } from "./clock-difference.ts";
import type { Store } from "./store.ts";

/** The kinds of rows with a limited age, in the order of purging. */
const PURGED = ["conversations", "responses", "usage", "traffic", "audit"] as const;
type Purged = (typeof PURGED)[number];

interface UpkeepOptions {
  store: Store;
  /** Returns the days for which each kind is kept. For a conversation they count from its last use. */
  days: () => Record<Purged, number>;
  now?: () => number;
  every?: typeof onTimer;
  purged(what: Purged, count: number): void;
  compacted(bytes: number): void;
  /** This machine's clock is ahead of the database's, or behind if negative, by more than 5 s. */
  clockDiffers?(aheadMs: number): void;
  failed(error: unknown): void;
}

/**
 * Purges old rows and returns their space to the disk, now and every hour, in small steps between which asks
 * are served. Also compares the clocks, as the servers of one database read each other's times. Resolves once the old conversations are purged, so that none can be continued, with a function
 * that stops the upkeep.
 */
export async function startUpkeep(options: UpkeepOptions): Promise<() => void> {
  const { store, days, now = Date.now, purged, compacted, failed } = options;
  const { clockDiffers = () => {}, every = onTimer } = options;
  let ended = false;

  const attempt = async (work: () => Promise<number>, report: (done: number) => void) => {
    try {
      const done = ended ? 0 : await work();
      if (done > 0) report(done);
    } catch (error) {
      // The store may be closed while the work is running.
      if (!ended) failed(error);
    }
  };
  const purge = (what: Purged) =>
    attempt(
      async () => {
        const before = now() - days()[what] * DAY_MS;
        if (what === "usage") await store.refusals.purge(before);
        return store[what].purge(before);
      },
      (count) => purged(what, count),
    );
  const compareClocks = async () => {
    const aheadMs = await clockDifference(store, now);
    if (aheadMs !== undefined && !ended) clockDiffers(aheadMs);
  };
  const round = async (kinds: readonly Purged[]) => {
    await compareClocks();
    for (const what of kinds) await purge(what);
    await attempt(store.compact, compacted);
  };

  await purge("conversations");
  // Purging a year of rows takes long, and nothing depends on it.
  let running = round(PURGED.slice(1));
  const stop = every(HOUR_MS, () => {
    running = running.then(() => round(PURGED));
  });
  return () => {
    ended = true;
    stop();
  };
}
