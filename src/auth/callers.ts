import { AppError } from "../errors.ts";
import type { TokenOwner, UserAttributes, UserStore } from "../store/store.ts";
import type { Secret } from "./secret.ts";
import { hashToken } from "./tokens.ts";

const CACHED_MS = 1_000;
const CACHED_MAX = 10_000;
const KEY_LENGTH_MAX = 4_096;

/** What a user may do; null is no limit, and every model. */
export type Allowance = Pick<UserAttributes, "models" | "requestsPerMinute" | "tokensPerDay" | "maxParallel">;

export interface Caller {
  /** Null for the holder of the admin key. */
  user: string | null;
  admin: boolean;
  /** Null for the holder of the admin key. */
  allowance: Allowance | null;
}

export interface Callers {
  /**
   * Throws an `AppError`: key_missing, keys_differ, verify_failed when the store fails, or key_unknown, which the
   * log calls key_disabled or key_expired where that is the reason. Costs next to nothing when repeated, so a
   * route that has waited for its caller asks again.
   */
  identify(headers: Headers): Promise<Caller>;
  /**
   * Passes when the admin key, and no other, stands in `given` (from the body or the query) or in the
   * headers; throws an `AppError` admin_key_wrong otherwise.
   */
  requireAdmin(headers: Headers, given: string | undefined): void;
  /** To be called when a user has changed. Without it, and for other processes, that counts within a second. */
  forget(): void;
}

interface CallersOptions {
  adminKey: Secret;
  users: UserStore;
  /** Milliseconds since 1970. */
  now?: () => number;
}

const ADMIN: Caller = { user: null, admin: true, allowance: null };

export function createCallers({ adminKey, users, now = Date.now }: CallersOptions): Callers {
  let cache = new Map<string, Known>();

  async function find(hash: string): Promise<Known | undefined> {
    const cached = cache.get(hash);
    if (cached && now() < cached.until) return cached;
    // A look-up that began before `forget` fills a cache that nobody reads any more.
    const filled = cache;
    const owner = await lookUp(users, hash);
    filled.delete(hash);
    if (owner === undefined) return undefined;
    const [oldest] = filled.size >= CACHED_MAX ? filled.keys() : [];
    if (oldest !== undefined) filled.delete(oldest);
    const known = { owner, caller: callerOf(owner), until: now() + CACHED_MS };
    filled.set(hash, known);
    return known;
  }

  return {
    async identify(headers) {
      const keys = keysOf(headers);
      if (keys.size === 0) throw new AppError("key_missing");
      if (keys.size > 1) throw new AppError("keys_differ");
      const [key = ""] = keys;
      if (key === "" || key.length > KEY_LENGTH_MAX) throw new AppError("key_unknown");
      if (adminKey.matches(key)) return ADMIN;
      const known = await find(hashToken(key));
      if (!known) throw new AppError("key_unknown");
      checkAlive(known.owner, now());
      return known.caller;
    },

    requireAdmin(headers, given) {
      const keys = keysOf(headers);
      if (given !== undefined) keys.add(given);
      const [key = ""] = keys;
      if (keys.size !== 1 || key.length > KEY_LENGTH_MAX || !adminKey.matches(key))
        throw new AppError("admin_key_wrong");
    },

    forget() {
      cache = new Map();
    },
  };
}

interface Known {
  owner: TokenOwner;
  caller: Caller;
  /** When it must be looked up again. */
  until: number;
}

function callerOf({ id, models, requestsPerMinute, tokensPerDay, maxParallel }: TokenOwner): Caller {
  return { user: id, admin: false, allowance: { models, requestsPerMinute, tokensPerDay, maxParallel } };
}

function checkAlive({ disabledAt, expiresAt, tokenExpiresAt }: TokenOwner, at: number): void {
  if (disabledAt !== null) throw new AppError("key_unknown", { logAs: "key_disabled" });
  if (Math.min(expiresAt ?? Infinity, tokenExpiresAt ?? Infinity) <= at)
    throw new AppError("key_unknown", { logAs: "key_expired" });
}

async function lookUp(users: UserStore, hash: string): Promise<TokenOwner | undefined> {
  try {
    return await users.findByTokenHash(hash);
  } catch (cause) {
    throw new AppError("verify_failed", { cause });
  }
}

function keysOf(headers: Headers): Set<string> {
  const keys = new Set<string>();
  const authorization = headers.get("authorization");
  if (authorization !== null) keys.add(decode(authorization.replace(/^bearer(?:[ \t]+|$)/i, "")));
  const apiKey = headers.get("x-api-key");
  if (apiKey !== null) keys.add(decode(apiKey));
  return keys;
}

/** Headers come as one character a byte (Fetch §2.2, "isomorphic decode"), while keys are UTF-8. */
function decode(value: string): string {
  return /[\x80-\xff]/.test(value) ? Buffer.from(value, "latin1").toString("utf8") : value;
}
