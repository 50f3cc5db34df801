import { DAY_MS, every } from "../time.ts";
import type { Store } from "./store.ts";

const HOUR_MS = 3_600_000;

/** What has a limited age, in the order of purging. */
const KEPT = ["conversations", "usage", "audit"] as const;
type Kept = (typeof KEPT)[number];

interface UpkeepOptions {
  store: Store;
  /** How many days each is kept. For a conversation they count from its last use. */
  days: Record<Kept, number>;
  /** Milliseconds since 1970. */
  now?: () => number;
  purged(what: Kept, count: number): void;
  compacted(bytes: number): void;
  failed(error: unknown): void;
}

/**
 * Purges old rows and returns their space to the disk, now and every hour, in small steps between which asks
 * are served. Resolves once the old conversations are purged, so that none can be continued, with a function
 * that stops the upkeep.
 */
export async function startUpkeep(options: UpkeepOptions): Promise<() => void> {
  const { store, days, now = Date.now, purged, compacted, failed } = options;
  let ended = false;

  const attempt = async (work: () => Promise<void>) => {
    try {
      if (!ended) await work();
    } catch (error) {
      // The store may be closed while the work is running.
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
  // Purging a year of rows takes long, and nothing depends on it.
  let running = round(KEPT.slice(1));
  const stop = every(HOUR_MS, () => {
    running = running.then(() => round(KEPT));
  });
  return () => {
    ended = true;
    stop();
  };
}
