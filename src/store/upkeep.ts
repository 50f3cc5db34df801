import { DAY_MS, every } from "../time.ts";
import type { Store } from "./store.ts";

const HOUR_MS = 3_600_000;

/** In the order in which they are looked after. */
const KEPT = ["conversations", "usage", "audit"] as const;
type Kept = (typeof KEPT)[number];

interface UpkeepOptions {
  store: Store;
  /** How many days each is kept: conversations after their last use. */
  days: Record<Kept, number>;
  /** Milliseconds since 1970. */
  now?: () => number;
  purged(what: Kept, count: number): void;
  compacted(bytes: number): void;
  failed(error: unknown): void;
}

/**
 * Deletes what is old and gives its room back to the disk, now and every hour, in steps between which the
 * asks have their turns. Resolves once no old conversation can be continued any more; gives what ends it.
 */
export async function startUpkeep(options: UpkeepOptions): Promise<() => void> {
  const { store, days, now = Date.now, purged, compacted, failed } = options;
  let ended = false;

  const attempt = async (work: () => Promise<void>) => {
    try {
      if (!ended) await work();
    } catch (error) {
      // It may be under way still when the store is closed.
      if (!ended) failed(error);
    }
  };
  const purge = (what: Kept) =>
    attempt(async () => {
      const count = await store[what].purge(now() - days[what] * DAY_MS);
      if (count > 0) purged(what, count);
    });
  const compact = () =>
    attempt(async () => {
      const bytes = await store.compact();
      if (bytes > 0) compacted(bytes);
    });
  const round = async (kept: readonly Kept[]) => {
    for (const what of kept) await purge(what);
    await compact();
  };

  await purge("conversations");
  // A year's rows are many, and nobody waits for them to go.
  let running = round(KEPT.slice(1));
  const stop = every(HOUR_MS, () => {
    running = running.then(() => round(KEPT));
  });
  return () => {
    ended = true;
    stop();
  };
}
