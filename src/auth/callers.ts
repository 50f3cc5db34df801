import { AppError, failureBy } from "../errors.ts";
import { ADMIN, type Principal, userPrincipal } from "../principal.ts";
import type { TokenOwner, UserStore } from "../store/store.ts";
import type { UserAttributes } from "../user-attributes.ts";
import { keyHeadersOf, keysOf } from "./request-keys.ts";
import { digestOf, hashSecret, type Secret } from "./secret.ts";
import type { Session, SessionFault, SessionOwner, Sessions } from "./sessions.ts";

const CACHED_MS = 1_000;
/** The cache keeps this many tokens at least, and twice as many at most. */
const CACHED_MAX = 10_000;
const KEY_LENGTH_MAX = 4_096;
const canBeKey = (text: string) => text !== "" && text.length <= KEY_LENGTH_MAX;

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

interface CallersOptions {
  adminKey: Secret;
  users: UserStore;
  /** If left out, cookies are ignored. */
  sessions?: Sessions;
  /** How long an owner who was found counts while the store cannot be read. Default: not at all. */
  graceMs?: number;
  now?: () => number;
}

export const ADMIN_CALLER: Caller = { principal: ADMIN, allowance: null };

export type Callers = ReturnType<typeof createCallers>;

/**
 * Identifies callers by the key in their headers. Without a key, the cookie of a session counts as the key
 * that began the session, if the request comes from the server's own page.
 */
export function createCallers({ adminKey, users, sessions, graceMs = 0, now = Date.now }: CallersOptions) {
  const owners = createOwners(users, graceMs, now);
  const isAdminKey = (key: string) => canBeKey(key) && adminKey.matches(key);

  /** Returns the owner of the valid key; undefined for the admin. */
  async function ownerOfKey(headers: Headers, keys: readonly string[]): Promise<CachedOwner | undefined> {
    const [key = ""] = keys;
    if (keys.length > 1) return ownerOfAny(headers, keys);
    if (!canBeKey(key)) throw new AppError("key_unknown");
    const digest = digestOf(key);
    if (adminKey.matchesDigest(digest)) return undefined;
    return requireValid(await owners.find(digest.toHex()), now());
  }

  /**
   * Returns the owner of the valid one of several keys. The admin key is not tried beside a user's token, or a
   * user could guess it without being counted.
   */
  async function ownerOfAny(headers: Headers, keys: readonly string[]): Promise<CachedOwner | undefined> {
    const found = await Promise.all(keys.filter(canBeKey).map((key) => owners.find(hashSecret(key))));
    const valid = found.filter((one) => isValid(one, now()));
    if (new Set(valid.map((one) => one?.owner.id)).size > 1)
      throw new AppError("keys_differ", { hint: `${keyHeadersOf(headers)} have different keys. Send one.` });
    if (valid[0]) return valid[0];
    if (keys.some(isAdminKey)) return undefined;
    const known = found.find((one) => one !== undefined);
    const logAs = known && whyInvalid(known.owner, now());
    throw new AppError("key_unknown", { ...noneValid(headers, keys), ...(logAs && { logAs }) });
  }

  async function identifySession(headers: Headers): Promise<Caller> {
    const session = sessions?.read(headers);
    if (typeof session !== "object") throw noSession("key_missing", session);
    const { owner } = session;
    if (owner.kind === "admin") return { ...ADMIN_CALLER, session };
    const known = await owners.find(owner.tokenHash);
    if (isValid(known, now())) return { ...known.caller, session };
    sessions?.end(session);
    throw noSession("key_missing", "ended");
  }

  /** Returns the caller that the headers' key or cookie identifies. */
  async function identify(headers: Headers): Promise<Caller> {
    const keys = keysOf(headers);
    if (keys.length === 0) return identifySession(headers);
    return (await ownerOfKey(headers, keys))?.caller ?? ADMIN_CALLER;
  }

  const adminSession = (headers: Headers) => ofAdmin(sessions?.read(headers));

  return {
    /**
     * Returns the caller. Throws an `AppError`: key_missing, keys_differ for tokens of two users, verify_failed
     * when the store fails, or key_unknown, which the log calls key_disabled or key_expired when that is the
     * reason.
     */
    identify,

    /** Returns the caller at once if the headers have one key, of a user who was identified a moment ago. */
    recall(headers: Headers): Caller | undefined {
      const [key = "", ...others] = keysOf(headers);
      return others.length === 0 && canBeKey(key) ? owners.recall(hashSecret(key))?.caller : undefined;
    },

    /**
     * Whether `identify` would return the same caller again, as far as is known without the store. A route that has
     * waited for the request body asks this, and otherwise identifies the caller again.
     */
    isCurrent: (caller: Caller): boolean =>
      caller === ADMIN_CALLER || owners.recall(caller.tokenHash ?? "")?.caller === caller,

    /** Returns the owner of the headers' key, for a new session. Throws as `identify` does. */
    async ownerOf(headers: Headers): Promise<SessionOwner> {
      const keys = keysOf(headers);
      if (keys.length === 0) throw new AppError("key_missing");
      const found = await ownerOfKey(headers, keys);
      return found ? { kind: "user", id: found.owner.id, tokenHash: found.tokenHash } : { kind: "admin" };
    },

    /**
     * Throws an `AppError` admin_key_wrong unless the admin key is in the headers, or is `given`, from the body
     * or the query. If there are keys in both places, both must have it. Returns the session if the caller has
     * one instead of a key.
     */
    requireAdmin(headers: Headers, given: string | undefined): Session | undefined {
      const keys = keysOf(headers);
      if (keys.length === 0 && given === undefined) {
        const session = adminSession(headers);
        if (typeof session === "object") return session;
        throw noSession("admin_key_wrong", session);
      }
      const isInHeaders = keys.length === 0 || keys.some(isAdminKey);
      if (isInHeaders && (given === undefined || isAdminKey(given))) return undefined;
      throw new AppError("admin_key_wrong", noneValid(headers, keys));
    },

    /** Whether the headers have the cookie of an administrator's session. */
    hasAdminSession: (headers: Headers) => typeof adminSession(headers) === "object",

    /**
     * Throws an `AppError` admin_key_wrong, with the hint, unless the headers have the admin key. Ignores
     * sessions.
     */
    requireAdminKey(headers: Headers, hint: string): void {
      const keys = keysOf(headers);
      if (!keys.some(isAdminKey))
        throw new AppError("admin_key_wrong", { hint, ...noneValid(headers, keys) });
    },

    /** Must be called with the id of a user who was changed. Changes by other processes take effect within a second. */
    forget: owners.forget,
  };
}

/** Returns the session if it is the admin's. */
function ofAdmin(session: Session | SessionFault | undefined): Session | SessionFault | undefined {
  return typeof session === "object" && session.owner.kind !== "admin" ? undefined : session;
}

/** Looks up the owners of tokens by hash, with a short-lived cache. */
function createOwners(users: UserStore, graceMs: number, now: () => number) {
  // The old half is dropped as a whole: finding the first entry of a map slows down as more of the first are
  // deleted.
  let young = new Map<string, CachedOwner>();
  let old = new Map<string, CachedOwner>();
  /** How often a user was forgotten. */
  let forgotten = 0;

  const cachedOf = (hash: string): CachedOwner | undefined => {
    const found = young.get(hash) ?? old.get(hash);
    return found && now() < found.until ? found : undefined;
  };

  /** Returns an owner who was found lately. They are looked up again as late as after a successful look-up. */
  function withGrace(hash: string, cause: unknown): CachedOwner {
    const known = young.get(hash) ?? old.get(hash);
    if (!known || now() >= known.foundAt + graceMs) throw failureBy(cause, "verify_failed");
    known.until = Math.min(now() + CACHED_MS, known.foundAt + graceMs);
    return known;
  }

  async function lookUp(hash: string): Promise<CachedOwner | undefined> {
    const before = forgotten;
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
    const foundAt = now();
    const found = {
      tokenHash: hash,
      owner,
      caller: callerOf(owner, hash),
      foundAt,
      until: foundAt + CACHED_MS,
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
    /** Forgets one user only, as the others must be known if the store is away next. */
    forget(user: string): void {
      forgotten++;
      for (const cache of [young, old])
        for (const [hash, { owner }] of cache) if (owner.id === user) cache.delete(hash);
    },
  };
}

interface CachedOwner {
  tokenHash: string;
  owner: TokenOwner;
  caller: Caller;
  /** When the owner was found. */
  foundAt: number;
  /** When the owner must be looked up again. */
  until: number;
}

function callerOf(owner: TokenOwner, tokenHash: string): Caller {
  const { id, models, requestsPerMinute, tokensPerDay, maxParallel, priority, agentTags } = owner;
  const allowance = { models, requestsPerMinute, tokensPerDay, maxParallel, priority, agentTags };
  return { principal: userPrincipal(id), tokenHash, allowance };
}

/** Returns why a token is not valid at that time, in the words of the log; undefined if it is valid. */
export function whyInvalid(
  { disabledAt, expiresAt, tokenExpiresAt }: TokenOwner,
  at: number,
): string | undefined {
  if (disabledAt !== null) return "key_disabled";
  return Math.min(expiresAt ?? Infinity, tokenExpiresAt ?? Infinity) <= at ? "key_expired" : undefined;
}

function isValid(found: CachedOwner | undefined, at: number): found is CachedOwner {
  return found !== undefined && whyInvalid(found.owner, at) === undefined;
}

function requireValid(found: CachedOwner | undefined, at: number): CachedOwner {
  if (!found) throw new AppError("key_unknown");
  const logAs = whyInvalid(found.owner, at);
  if (logAs !== undefined) throw new AppError("key_unknown", { logAs });
  return found;
}

/** Returns what the error says about several keys, of which none is valid. Each counts as a wrong key. */
function noneValid(headers: Headers, keys: readonly string[]) {
  if (keys.length < 2) return {};
  return { hint: `None of the keys in ${keyHeadersOf(headers)} is valid.`, wrongKeys: keys.length };
}

/** Sessions cannot be guessed, so an ended one is logged under its own name, not as a wrong key. */
function noSession(code: "key_missing" | "admin_key_wrong", fault: SessionFault | undefined): AppError {
  if (fault === undefined) return new AppError(code);
  return new AppError(code, { logAs: `session_${fault}`, hint: SESSION_HINTS[fault] });
}

const SESSION_HINTS: Record<SessionFault, string> = {
  ended: "The session has ended: sign in again.",
  foreign: "A session works for the server's own pages only: send an API key instead.",
};
