import { AppError } from "../errors.ts";
import { ADMIN } from "../principal.ts";
import type { UserStore } from "../store/store.ts";
import { keyHeadersOf, keysOf } from "./request-keys.ts";
import { digestOf, hashSecret, type Secret } from "./secret.ts";
import type { Session, SessionFault, SessionOwner, Sessions } from "./sessions/sessions.ts";
import { type CachedOwner, type Caller, createOwners, isValid, whyInvalid } from "./token-owners.ts";

export type { Allowance, Caller } from "./token-owners.ts";

const KEY_LENGTH_MAX = 4_096;
const canBeKey = (text: string) => text !== "" && text.length <= KEY_LENGTH_MAX;

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
    throw new AppError("key_unknown", { ...noneValid(headers, keys), ...reasonOf(found, now()) });
  }

  async function identifySession(headers: Headers): Promise<Caller> {
    const session = await sessions?.read(headers);
    if (typeof session !== "object") throw noSession("key_missing", session);
    const { owner } = session;
    if (owner.kind === "admin") return { ...ADMIN_CALLER, session };
    const known = await owners.find(owner.tokenHash);
    if (isValid(known, now())) return { ...known.caller, session };
    // If that fails, the next request tries again.
    await sessions?.end(session).catch(() => {});
    throw noSession("key_missing", "ended");
  }

  /** Returns the caller that the headers' key or cookie identifies. */
  async function identify(headers: Headers): Promise<Caller> {
    const keys = keysOf(headers);
    if (keys.length === 0) return identifySession(headers);
    return (await ownerOfKey(headers, keys))?.caller ?? ADMIN_CALLER;
  }

  const adminSession = async (headers: Headers) => ofAdmin(await sessions?.read(headers));

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
     * or the query. If there are keys in both places, both must have it. Resolves with the session if the caller has
     * one instead of a key.
     */
    async requireAdmin(headers: Headers, given: string | undefined): Promise<Session | undefined> {
      const keys = keysOf(headers);
      if (keys.length === 0 && given === undefined) {
        const session = await adminSession(headers);
        if (typeof session === "object") return session;
        throw noSession("admin_key_wrong", session);
      }
      const isInHeaders = keys.length === 0 || keys.some(isAdminKey);
      if (isInHeaders && (given === undefined || isAdminKey(given))) return undefined;
      throw new AppError("admin_key_wrong", noneValid(headers, keys));
    },

    /** Whether the headers have the cookie of an administrator's session. */
    hasAdminSession: async (headers: Headers) => typeof (await adminSession(headers)) === "object",

    /**
     * Throws an `AppError` admin_key_wrong, with the hint, unless the headers have the admin key. Ignores
     * sessions.
     */
    requireAdminKey(headers: Headers, hint: string): void {
      const keys = keysOf(headers);
      if (!keys.some(isAdminKey))
        throw new AppError("admin_key_wrong", { hint, ...noneValid(headers, keys) });
    },

    /** Must be called with the ids of users who were changed. Other changes take effect within a second. */
    forget: owners.forget,

    /** Looks every owner up again before they count. */
    refresh: owners.refresh,
  };
}

/** Returns the session if it is the admin's. */
function ofAdmin(session: Session | SessionFault | undefined): Session | SessionFault | undefined {
  return typeof session === "object" && session.owner.kind !== "admin" ? undefined : session;
}

function requireValid(found: CachedOwner | undefined, at: number): CachedOwner {
  if (!found) throw new AppError("key_unknown");
  const logAs = whyInvalid(found.owner, at);
  if (logAs !== undefined) throw new AppError("key_unknown", { logAs, keyOf: found.caller.principal });
  return found;
}

/** Returns what the log says about the first known one of several keys, of which none is valid. */
function reasonOf(found: readonly (CachedOwner | undefined)[], at: number) {
  const known = found.find((one) => one !== undefined);
  if (!known) return {};
  const logAs = whyInvalid(known.owner, at);
  return logAs === undefined ? {} : { logAs, keyOf: known.caller.principal };
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
