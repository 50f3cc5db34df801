import { BoundedMap } from "../../bounded-map.ts";
import { failureBy } from "../../errors.ts";
import type { SessionStore, StoredSession } from "../../store/store.ts";

interface LookUpOptions {
  store: Pick<SessionStore, "find">;
  /** How long a session that was found counts while the store cannot be read. */
  graceMs: number;
  /** How many sessions are remembered. */
  max: number;
  now: () => number;
}

interface Remembered {
  row: StoredSession;
  /** When the look-up began. */
  foundAt: number;
  /** When the session must be looked up again. */
  until: number;
}

/** A session that another server ends counts for no longer. */
const CACHED_MS = 1_000;

/** Looks up sessions by the hashes of their cookies, with a short-lived cache. */
export function createSessionLookUp({ store, graceMs, max, now }: LookUpOptions) {
  const cache = new BoundedMap<string, Remembered>(max);
  /** How often sessions were forgotten: a look-up that began before may be out of date. */
  let forgotten = 0;

  /** Returns a session that was found lately. One that has ended was forgotten. */
  function withGrace(hash: string, cause: unknown): StoredSession {
    const known = cache.get(hash);
    if (!known || now() >= known.foundAt + graceMs) throw failureBy(cause, "verify_failed");
    known.until = Math.min(now() + CACHED_MS, known.foundAt + graceMs);
    return known.row;
  }

  return {
    /** Resolves also with a session that has expired. Throws verify_failed or database_away when the store fails. */
    async find(hash: string): Promise<StoredSession | undefined> {
      const known = cache.get(hash);
      if (known && now() < known.until) return known.row;
      const [before, foundAt] = [forgotten, now()];
      let row: StoredSession | undefined;
      try {
        row = await store.find(hash);
      } catch (cause) {
        return withGrace(hash, cause);
      }
      if (!row) cache.delete(hash);
      else if (before === forgotten) cache.set(hash, { row, foundAt, until: foundAt + CACHED_MS });
      return row;
    },

    forget(hashes: readonly string[]): void {
      forgotten++;
      for (const hash of hashes) cache.delete(hash);
    },

    /** Looks every session up again before it counts. */
    refresh(): void {
      forgotten++;
      for (const known of cache.values()) known.until = 0;
    },
  };
}
