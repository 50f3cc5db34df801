import type { Relay } from "../../relay/relay.ts";

export interface ReadinessOptions {
  relay: Relay;
  /** Rejects when nothing can be written. */
  checkStore(): Promise<void>;
  /** Asks that may wait. */
  queueMax: number;
  /** Milliseconds since 1970. */
  now: () => number;
}

/** Whether work can be taken: resolves with the reasons why not, in words; with none where it can. */
export type Readiness = (agentsMin: number) => Promise<string[]>;

/** Whoever asks more often is told what was found last, so that nobody keeps the disk busy by asking. */
const CHECKED_MS = 1_000;
const STORE_LIMIT_MS = 2_000;

export function createReadiness({ relay, checkStore, queueMax, now }: ReadinessOptions): Readiness {
  let checked: { at: number; works: Promise<boolean> } | undefined;
  const storeWorks = () => {
    if (!checked || now() - checked.at >= CHECKED_MS) checked = { at: now(), works: worksInTime(checkStore) };
    return checked.works;
  };
  return async (agentsMin) => {
    const works = await storeWorks();
    const { available } = relay.capacity();
    return [
      ...(works ? [] : ["the database cannot be written"]),
      ...(relay.isDraining ? ["the server is shutting down"] : []),
      ...(available < agentsMin ? [missing(agentsMin)] : []),
      ...(relay.stats().asks_waiting >= queueMax ? ["the queue is full"] : []),
    ];
  };
}

function missing(agentsMin: number): string {
  return agentsMin === 1 ? "no agent takes work" : `fewer than ${agentsMin} agents take work`;
}

async function worksInTime(check: () => Promise<void>): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const limit = setTimeout(() => resolve(false), STORE_LIMIT_MS);
  const works = check().then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([works, late]);
  } finally {
    clearTimeout(limit);
  }
}
