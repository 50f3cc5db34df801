import { BoundedMap } from "../../bounded-map.ts";
import type { UserStore } from "../../store/store.ts";

/** Names of users for who looks, kept for a moment. */
export interface UserNames {
  /** Looks up those that are not known lately. */
  learn(ids: Iterable<string>): Promise<void>;
  /** Null where there is none, or it was not learnt. */
  get(id: string): string | null;
}

const KEPT_MS = 10_000;
const KEPT_MAX = 1_000;

export function createUserNames(users: Pick<UserStore, "find">, now: () => number): UserNames {
  const known = new BoundedMap<string, { name: string | null; until: number }>(KEPT_MAX);
  return {
    async learn(ids) {
      for (const id of new Set(ids)) {
        if ((known.get(id)?.until ?? 0) > now()) continue;
        const name = (await users.find(id))?.name ?? null;
        known.set(id, { name, until: now() + KEPT_MS });
      }
    },
    get: (id) => known.get(id)?.name ?? null,
  };
}
