import { BoundedMap } from "../bounded-map.ts";
import type { UserStore } from "../store/store.ts";

const KEPT_MS = 10_000;
const NAMES_MAX = 1_000;

/** The names of users, kept for a moment. `now` is in milliseconds since 1970. */
export function createUserNames(users: Pick<UserStore, "find">, now: () => number) {
  const known = new BoundedMap<string, { name: string | null; until: number }>(NAMES_MAX);
  return {
    /** Looks up the names that are missing or out of date. Rejects if the store fails. */
    async load(ids: Iterable<string>): Promise<void> {
      for (const id of new Set(ids)) {
        if ((known.get(id)?.until ?? 0) > now()) continue;
        const name = (await users.find(id))?.name ?? null;
        known.set(id, { name, until: now() + KEPT_MS });
      }
    },
    /** Returns null if the user has no name, or it was not loaded. */
    get: (id: string) => known.get(id)?.name ?? null,
  };
}
