import { AppError } from "../errors.ts";
import type { UserStore } from "../store/store.ts";
import type { Secret } from "./secret.ts";
import { hashToken } from "./tokens.ts";

const CACHED_MS = 1_000;
const CACHED_MAX = 10_000;
const KEY_LENGTH_MAX = 4_096;

export interface Caller {
  /** Null for the holder of the admin key. */
  user: string | null;
  admin: boolean;
}

export interface Callers {
  /** Throws an `AppError`: key_missing, keys_differ, key_unknown, or verify_failed when the store fails. */
  identify(headers: Headers): Promise<Caller>;
  /**
   * Passes when the admin key, and no other, stands in `given` (from the body or the query) or in the
   * headers; throws an `AppError` admin_key_wrong otherwise.
   */
  requireAdmin(headers: Headers, given: string | undefined): void;
  /** To be called when a user is deleted. Without it, and for other processes, that counts within a second. */
  forget(): void;
}

interface CallersOptions {
  adminKey: Secret;
  users: UserStore;
  /** Milliseconds since 1970. */
  now?: () => number;
}

const ADMIN: Caller = { user: null, admin: true };

export function createCallers({ adminKey, users, now = Date.now }: CallersOptions): Callers {
  let cache = new Map<string, { caller: Caller; until: number }>();

  async function findUser(hash: string): Promise<Caller | undefined> {
    const cached = cache.get(hash);
    if (cached && now() < cached.until) return cached.caller;
    // A look-up that began before `forget` fills a cache that nobody reads any more.
    const filled = cache;
    const user = await lookUp(users, hash);
    filled.delete(hash);
    if (user === undefined) return undefined;
    const [oldest] = filled.size >= CACHED_MAX ? filled.keys() : [];
    if (oldest !== undefined) filled.delete(oldest);
    const caller = { user, admin: false };
    filled.set(hash, { caller, until: now() + CACHED_MS });
    return caller;
  }

  return {
    async identify(headers) {
      const keys = keysOf(headers);
      if (keys.size === 0) throw new AppError("key_missing");
      if (keys.size > 1) throw new AppError("keys_differ");
      const [key = ""] = keys;
      if (key === "" || key.length > KEY_LENGTH_MAX) throw new AppError("key_unknown");
      if (adminKey.matches(key)) return ADMIN;
      const caller = await findUser(hashToken(key));
      if (!caller) throw new AppError("key_unknown");
      return caller;
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

async function lookUp(users: UserStore, hash: string): Promise<string | undefined> {
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
