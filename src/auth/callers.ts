import { AppError } from "../errors.ts";
import { ADMIN, type Principal, userPrincipal } from "../principal.ts";
import type { TokenOwner, UserAttributes, UserStore } from "../store/store.ts";
import { decodeHeader, readBearer } from "./bearer.ts";
import { hashSecret, type Secret } from "./secret.ts";
import type { Session, SessionFault, SessionOwner, Sessions } from "./sessions.ts";

const CACHED_MS = 1_000;
/** So many tokens are kept at least, and at most twice as many. */
const CACHED_MAX = 10_000;
const KEY_LENGTH_MAX = 4_096;

/** What a user may do; null is no limit, and every model. */
export type Allowance = Pick<UserAttributes, "models" | "requestsPerMinute" | "tokensPerDay" | "maxParallel">;

export interface Caller {
  principal: Principal;
  /** Null for the admin. */
  allowance: Allowance | null;
  /** Where no key, but a cookie says who it is. */
  session?: Session;
}

/**
 * Where no key stands in the headers, a session's cookie counts as the key that it stands for, if the server's own
 * page sends it.
 */
export interface Callers {
  /**
   * Throws an `AppError`: key_missing, keys_differ, verify_failed when the store fails, or key_unknown, which the
   * log calls key_disabled or key_expired where that is the reason. Costs next to nothing when repeated, so a
   * route that has waited for its caller asks again.
   */
  identify(headers: Headers): Promise<Caller>;
  /**
   * Passes when the admin key, and no other, stands in `given` (from the body or the query) or in the
   * headers; throws an `AppError` admin_key_wrong otherwise. Gives the session where that is what let him in.
   */
  requireAdmin(headers: Headers, given: string | undefined): Session | undefined;
  /** Whether it has an administrator's session to show. */
  hasAdminSession(headers: Headers): boolean;
  /** The same of the headers' key only: no session opens it. */
  requireAdminKey(headers: Headers): void;
  /** Whose session a key in the headers may begin. Throws as `identify` does; no session begins another. */
  ownerOf(headers: Headers): Promise<SessionOwner>;
  /** To be called when a user has changed. Without it, and for other processes, that counts within a second. */
  forget(): void;
}

interface CallersOptions {
  adminKey: Secret;
  users: UserStore;
  /** Without it there are none. */
  sessions?: Sessions;
  /** Milliseconds since 1970. */
  now?: () => number;
}

const ADMIN_CALLER: Caller = { principal: ADMIN, allowance: null };

export function createCallers({ adminKey, users, sessions, now = Date.now }: CallersOptions): Callers {
  const owners = createOwners(users, now);
  const isAdminKey = (keys: readonly string[]) => {
    const [key = ""] = keys;
    return keys.length === 1 && key.length <= KEY_LENGTH_MAX && adminKey.matches(key);
  };

  async function identifySession(headers: Headers): Promise<Caller> {
    const session = sessions?.shown(headers);
    if (typeof session !== "object") throw noSession("key_missing", session);
    const { owner } = session;
    if (owner.kind === "admin") return { ...ADMIN_CALLER, session };
    const known = await owners.find(owner.tokenHash);
    if (known && whyDead(known.owner, now()) === undefined) return { ...known.caller, session };
    sessions?.end(session);
    throw noSession("key_missing", "ended");
  }

  function adminSession(headers: Headers): Session | SessionFault | undefined {
    const session = sessions?.shown(headers);
    return typeof session === "object" && session.owner.kind !== "admin" ? undefined : session;
  }

  return {
    async identify(headers) {
      const keys = keysOf(headers);
      if (keys.length === 0) return identifySession(headers);
      const key = onlyKey(keys);
      if (adminKey.matches(key)) return ADMIN_CALLER;
      return requireAlive(await owners.find(hashSecret(key)), now()).caller;
    },

    async ownerOf(headers) {
      const keys = keysOf(headers);
      if (keys.length === 0) throw new AppError("key_missing");
      const key = onlyKey(keys);
      if (adminKey.matches(key)) return { kind: "admin" };
      const tokenHash = hashSecret(key);
      const { owner } = requireAlive(await owners.find(tokenHash), now());
      return { kind: "user", id: owner.id, tokenHash };
    },

    requireAdmin(headers, given) {
      const keys = keysOf(headers, given);
      if (isAdminKey(keys)) return undefined;
      const session = keys.length === 0 ? adminSession(headers) : undefined;
      if (typeof session === "object") return session;
      throw noSession("admin_key_wrong", session);
    },

    hasAdminSession: (headers) => typeof adminSession(headers) === "object",

    requireAdminKey(headers) {
      if (!isAdminKey(keysOf(headers))) throw new AppError("admin_key_wrong");
    },

    forget: owners.forget,
  };
}

/** The owners of tokens, by the tokens' hashes, each kept for a moment. */
function createOwners(users: UserStore, now: () => number) {
  // The old one goes as a whole: a map from which the first is taken again and again has ever longer to look for it.
  let young = new Map<string, Known>();
  let old = new Map<string, Known>();
  return {
    async find(hash: string): Promise<Known | undefined> {
      const cached = young.get(hash) ?? old.get(hash);
      if (cached && now() < cached.until) return cached;
      // A look-up that began before `forget` fills a cache that nobody reads any more.
      const filled = young;
      const owner = await lookUp(users, hash);
      if (owner === undefined) return undefined;
      const found = { owner, caller: callerOf(owner), until: now() + CACHED_MS };
      filled.set(hash, found);
      if (filled === young && young.size >= CACHED_MAX) {
        old = young;
        young = new Map();
      }
      return found;
    },
    forget() {
      young = new Map();
      old = new Map();
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
  const allowance = { models, requestsPerMinute, tokensPerDay, maxParallel };
  return { principal: userPrincipal(id), allowance };
}

function whyDead({ disabledAt, expiresAt, tokenExpiresAt }: TokenOwner, at: number): string | undefined {
  if (disabledAt !== null) return "key_disabled";
  return Math.min(expiresAt ?? Infinity, tokenExpiresAt ?? Infinity) <= at ? "key_expired" : undefined;
}

function onlyKey(keys: readonly string[]): string {
  if (keys.length > 1) throw new AppError("keys_differ");
  const [key = ""] = keys;
  if (key === "" || key.length > KEY_LENGTH_MAX) throw new AppError("key_unknown");
  return key;
}

function requireAlive(found: Known | undefined, at: number): Known {
  if (!found) throw new AppError("key_unknown");
  const logAs = whyDead(found.owner, at);
  if (logAs !== undefined) throw new AppError("key_unknown", { logAs });
  return found;
}

/** Nobody guesses a session, so that one which is no more is no wrong key; the log has a name of its own for it. */
function noSession(code: "key_missing" | "admin_key_wrong", fault: SessionFault | undefined): AppError {
  if (fault === undefined) return new AppError(code);
  return new AppError(code, { logAs: `session_${fault}`, hint: SESSION_HINTS[fault] });
}

const SESSION_HINTS: Record<SessionFault, string> = {
  ended: "The session has ended: sign in again.",
  foreign: "A session counts for requests of the server's own pages only.",
};

async function lookUp(users: UserStore, hash: string): Promise<TokenOwner | undefined> {
  try {
    return await users.findByTokenHash(hash);
  } catch (cause) {
    throw new AppError("verify_failed", { cause });
  }
}

/** Returns the different keys in the headers, and the one given elsewhere if there is one. */
function keysOf(headers: Headers, given?: string): string[] {
  const keys: string[] = [];
  const add = (key: string) => void (keys.includes(key) || keys.push(key));
  const bearer = readBearer(headers);
  if (bearer !== undefined) add(bearer);
  const apiKey = headers.get("x-api-key");
  if (apiKey !== null) add(decodeHeader(apiKey));
  if (given !== undefined) add(given);
  return keys;
}
