import { failureBy } from "../errors.ts";
import { type Principal, userPrincipal } from "../principal.ts";
import type { TokenOwner, UserStore } from "../store/store.ts";
import type { UserAttributes } from "../user-attributes.ts";
import type { Session } from "./sessions/sessions.ts";

const CACHED_MS = 1_000;
/** The cache keeps this many tokens at least, and twice as many at most. */
const CACHED_MAX = 10_000;

/** The models, the limits and the agents of a user. Null means every model, no limit, or every agent. */
export type Allowance = Omit<UserAttributes, "name" | "expiresAt">;

export interface Caller {
  principal: Principal;
  /** The hash of the token, also that which began the session; undefined for the admin. */
  tokenHash?: string;
  /** Null for the admin. */
  allowance: Allowance | null;
  /** The session, if the caller is known by its cookie and not by a key. */
  session?: Session;
}

/** Looks up the owners of tokens by hash, with a short-lived cache. */
export function createOwners(users: Pick<UserStore, "findByTokenHash">, graceMs: number, now: () => number) {
  // The old half is dropped as a whole: finding the first entry of a map slows down as more of the first are
  // deleted.
  let young = new Map<string, CachedOwner>();
  let old = new Map<string, CachedOwner>();
  /** How often users were forgotten, and all owners refreshed. */
  let forgotten = 0;
  let refreshed = 0;

  const cachedOf = (hash: string): CachedOwner | undefined => {
    const found = young.get(hash) ?? old.get(hash);
    return found && now() < found.until && found.round === refreshed ? found : undefined;
  };

  /** Returns an owner who was found lately. They are looked up again as late as after a successful look-up. */
  function withGrace(hash: string, cause: unknown): CachedOwner {
    const known = young.get(hash) ?? old.get(hash);
    if (!known || now() >= known.foundAt + graceMs) throw failureBy(cause, "verify_failed");
    known.until = Math.min(now() + CACHED_MS, known.foundAt + graceMs);
    known.round = refreshed;
    return known;
  }

  async function lookUp(hash: string): Promise<CachedOwner | undefined> {
    const [before, round, foundAt] = [forgotten, refreshed, now()];
    let owner: TokenOwner | undefined;
    try {
      owner = await users.findByTokenHash(hash);
    } catch (cause) {
      return withGrace(hash, cause);
    }
    if (owner === undefined) {
      young.delete(hash);
      old.delete(hash);
      return undefined;
    }
    const found = {
      tokenHash: hash,
      owner,
      caller: callerOf(owner, hash),
      foundAt,
      until: foundAt + CACHED_MS,
      round,
    };
    // What a look-up found that began before `forget` may be out of date.
    if (before !== forgotten) return found;
    young.set(hash, found);
    if (young.size >= CACHED_MAX) {
      old = young;
      young = new Map();
    }
    return found;
  }

  return {
    find: (hash: string): CachedOwner | Promise<CachedOwner | undefined> => cachedOf(hash) ?? lookUp(hash),
    /** Returns the owner if they are cached, and their token is valid. */
    recall(hash: string): CachedOwner | undefined {
      const cached = cachedOf(hash);
      return isValid(cached, now()) ? cached : undefined;
    },
    /** Forgets these users only, as the others must be known if the store is away next. */
    forget(...users: readonly string[]): void {
      forgotten++;
      const ids = new Set(users);
      for (const cache of [young, old])
        for (const [hash, { owner }] of cache) if (ids.has(owner.id)) cache.delete(hash);
    },
    refresh(): void {
      refreshed++;
    },
  };
}

export interface CachedOwner {
  tokenHash: string;
  owner: TokenOwner;
  caller: Caller;
  /** When the look-up began. */
  foundAt: number;
  /** When the owner must be looked up again. */
  until: number;
  /** How often all owners had been refreshed when the look-up began. */
  round: number;
}

function callerOf(owner: TokenOwner, tokenHash: string): Caller {
  const { id, models, requestsPerMinute, tokensPerDay, maxParallel, priority, agentTags } = owner;
  const { budgetDayMicros, budgetMonthMicros } = owner;
  const allowance = {
    ...{ models, requestsPerMinute, tokensPerDay, maxParallel, priority, agentTags },
    ...{ budgetDayMicros, budgetMonthMicros },
  };
  return { principal: userPrincipal(id), tokenHash, allowance };
}

/** Returns why a token is not valid at that time, in the words of the log; undefined if it is valid. */
export function whyInvalid(
  { disabledAt, expiresAt, tokenExpiresAt }: TokenOwner,
  at: number,
): "key_disabled" | "key_expired" | undefined {
  if (disabledAt !== null) return "key_disabled";
  return Math.min(expiresAt ?? Infinity, tokenExpiresAt ?? Infinity) <= at ? "key_expired" : undefined;
}

export function isValid(found: CachedOwner | undefined, at: number): found is CachedOwner {
  return found !== undefined && whyInvalid(found.owner, at) === undefined;
}
