import { statfs } from "node:fs/promises";
import type { ServerFacts } from "../../alerts/sources.ts";
import { MINUTE_MS } from "../../durations.ts";
import { type Readiness, STORE_REASON } from "../../http/operations/readiness.ts";
import { clockDifference } from "../../store/clock-difference.ts";
import type { Store } from "../../store/store.ts";
import type { CountingClock } from "../../time.ts";

interface FactsOptions {
  readiness: () => Readiness;
  store: Pick<Store, "clock">;
  /** The data folder. */
  folder: string;
  clock: CountingClock;
}

/** The checks touch the disk and the database, which may be asleep or far away. */
const CHECK_MS = 15_000;
const CLOCK_MS = 5 * MINUTE_MS;

/** Looks up, every some seconds, what is slow to find out about the server. */
export function createServerFacts({ readiness, store, folder, clock }: FactsOptions) {
  const facts: ServerFacts = {
    ...{ store: "works", isNatsAway: false, freeBytes: undefined, clockAheadMs: undefined },
  };
  let isChecking = false;
  let checkedAt = Number.NEGATIVE_INFINITY;
  let comparedAt = Number.NEGATIVE_INFINITY;

  async function check(): Promise<void> {
    const now = clock.now();
    const { reasons, degraded } = await readiness()(0);
    facts.store = reasons.includes(STORE_REASON) ? "fails" : degraded.includes("store") ? "away" : "works";
    facts.isNatsAway = degraded.includes("nats");
    facts.freeBytes = await freeBytesOf(folder);
    if (now - comparedAt < CLOCK_MS) return;
    comparedAt = now;
    // While the database is away, nobody knows.
    facts.clockAheadMs = await clockDifference(store, () => clock.now());
  }

  return {
    /** Call it once a second. */
    tick(): void {
      const now = clock.now();
      if (isChecking || now - checkedAt < CHECK_MS) return;
      checkedAt = now;
      isChecking = true;
      void check()
        .catch(() => {})
        .finally(() => {
          isChecking = false;
        });
    },
    read: (): ServerFacts => facts,
  };
}

async function freeBytesOf(folder: string): Promise<number | undefined> {
  const stats = await statfs(folder).catch(() => undefined);
  return stats && Number(stats.bavail) * Number(stats.bsize);
}
