import { BoundedMap } from "../../bounded-map.ts";
import type { UserStore } from "../../store/store.ts";

/** The names of users, kept for a moment. */
export interface UserNames {
  /** Looks up the names that are missing or out of date. */
  load(ids: Iterable<string>): Promise<void>;
  /** Returns null if the user has no name, or it was not loaded. */
  get(id: string): string | null;
}

const KEPT_MS = 10_000;
const KEPT_MAX = 1_000;

export function createUserNames(users: Pick<UserStore, "find">, now: () => number): UserNames {
  const known = new BoundedMap<string, { name: string | null; until: number }>(KEPT_MAX);
  return {
    async load(ids) {
      for (const id of new Set(ids)) {
        if ((known.get(id)?.until ?? 0) > now()) continue;
        const name = (await users.find(id))?.name ?? null;
        known.set(id, { name, until: now() + KEPT_MS });
      }
    },
    get: (id) => known.get(id)?.name ?? null,
  };
}
