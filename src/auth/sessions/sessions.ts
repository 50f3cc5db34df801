import { orFail } from "../../errors.ts";
import { type UserPrincipal, userPrincipal } from "../../principal.ts";
import type { ListedSession, SessionOwnerId, SessionStore, StoredSession } from "../../store/store.ts";
import { isSameOrigin } from "../same-origin.ts";
import { hashSecret } from "../secret.ts";
import { adminKeyMark, createSessionCookies, isSameMark, isSessionId, newSessionId } from "./cookie.ts";
import { createSessionLookUp } from "./look-up.ts";

/** The principal whose key began a session. For a user the key is one token, and the session ends with it. */
export type SessionOwner = { kind: "admin" } | (UserPrincipal & { tokenHash: string });

export interface Session {
  /** The hash of the cookie. */
  readonly hash: string;
  readonly owner: SessionOwner;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Why a cookie does not count: its session has ended or never existed, or a page of another site sent it. */
export type SessionFault = "ended" | "foreign";

/** The connection on which a session begins. */
export interface Origin {
  /** Whether the cookie comes by TLS only. */
  secure: boolean;
  address?: string | null;
  userAgent?: string | null;
}

export interface SessionsOptions {
  store: Pick<SessionStore, "add" | "find" | "list" | "known" | "end">;
  /** An administrator's session ends when the server has another key. */
  adminKey: string;
  /** Returns the end of the cookie's name, as `createSessionCookies` needs it. Called late. */
  label: () => string;
  lastsMs: number;
  /** The origin of the server's own pages, if it is known. */
  publicUrl?: string | undefined;
  /** How long a session that was found counts while the store cannot be read. Default: not at all. */
  graceMs?: number;
  /** Called with the hashes of the sessions that this object has ended. */
  onEnd?: (hashes: readonly string[]) => void;
  now?: () => number;
  allMax?: number;
  ownerMax?: number;
}

const ALL_MAX = 1_000;
const OWNER_MAX = 20;
/** More of a browser's name says nothing to people. */
const USER_AGENT_MAX = 300;

export type Sessions = ReturnType<typeof createSessions>;

/**
 * Keeps the browsers that are signed in, each by a cookie. The store has the hashes of the cookies only. Hand-written,
 * as session libraries neither bound the number of sessions nor end a session with its key. The methods throw an
 * `AppError` when the store fails: verify_failed, session_change_failed, database_away.
 */
export function createSessions(options: SessionsOptions) {
  const { store, adminKey, lastsMs, label, now = Date.now, onEnd = () => {} } = options;
  const { graceMs = 0, allMax = ALL_MAX, ownerMax = OWNER_MAX, publicUrl } = options;
  const cookies = createSessionCookies(label);
  const lookUp = createSessionLookUp({ store, graceMs, max: allMax, now });

  function noteEnded(hashes: readonly string[]): void {
    if (hashes.length === 0) return;
    lookUp.forget(hashes);
    onEnd(hashes);
  }

  return {
    /** Begins a session, and returns its `Set-Cookie` header. At a limit, the oldest session is ended. */
    async begin(owner: SessionOwner, { secure: isSecure, address = null, userAgent = null }: Origin) {
      const id = newSessionId();
      const session: Session = { hash: hashSecret(id), owner, expiresAt: now() + lastsMs };
      const row = {
        ...rowOf(session, id, adminKey),
        isSecure,
        address,
        userAgent: userAgent?.slice(0, USER_AGENT_MAX) ?? null,
      };
      noteEnded(await orFail("session_change_failed", () => store.add(row, { ownerMax, allMax })));
      const maxAgeS = Math.floor(lastsMs / 1000);
      return { session, cookie: cookies.write(id, { secure: isSecure, maxAgeS }) };
    },

    /** Resolves with the session of the headers' cookie, or why it does not count; undefined without a cookie. */
    async read(headers: Headers): Promise<Session | SessionFault | undefined> {
      const { ids, isSecure } = cookies.read(headers);
      if (ids.size === 0) return undefined;
      if (!isSameOrigin(headers, publicUrl)) return "foreign";
      const [id = ""] = ids;
      // This server sets one. Of two, it cannot tell which is its own.
      if (ids.size > 1 || !isSessionId(id)) return "ended";
      const row = await lookUp.find(hashSecret(id));
      // A session over TLS counts only by the cookie with the prefix, and one without TLS by the other.
      if (!row || row.isSecure !== isSecure || row.expiresAt <= now()) return "ended";
      return sessionOf(row, id, adminKey) ?? "ended";
    },

    /**
     * Resolves with those of the sessions that have ended or expired. While the store cannot be read, those are the
     * expired ones. Does not check the users' tokens.
     */
    async endedOf(sessions: readonly Session[]): Promise<Session[]> {
      const hashes = sessions.map(({ hash }) => hash);
      const known = await store.known(hashes).catch(() => new Set(hashes));
      return sessions.filter(({ hash, expiresAt }) => expiresAt <= now() || !known.has(hash));
    },

    /** Lists the sessions of everyone, a user, or with null the admin, newest first, without those that have expired. */
    async list(owner: SessionOwnerId): Promise<ListedSession[]> {
      const rows = await orFail("session_list_failed", () => store.list(owner));
      return rows.filter(({ expiresAt }) => expiresAt > now());
    },

    /** Resolves with whether there was such a session. */
    async end({ hash }: Pick<Session, "hash">): Promise<boolean> {
      const hadIt = await orFail("session_change_failed", () => store.end(hash));
      noteEnded([hash]);
      return hadIt;
    },

    /** Must be called with the hashes of sessions that another server has ended. */
    forget: lookUp.forget,

    /** Looks every session up again before it counts. */
    refresh: lookUp.refresh,

    /** Returns the `Set-Cookie` header that deletes the cookie. */
    clearingCookie: ({ secure }: { secure: boolean }) => cookies.write("", { secure, maxAgeS: 0 }),
  };
}

function rowOf({ hash, owner, expiresAt }: Session, id: string, adminKey: string) {
  return owner.kind === "admin"
    ? { hash, expiresAt, userId: null, keyHash: adminKeyMark(adminKey, id) }
    : { hash, expiresAt, userId: owner.id, keyHash: owner.tokenHash };
}

/** Returns undefined for a session that another admin key began. */
function sessionOf(row: StoredSession, id: string, adminKey: string): Session | undefined {
  const { hash, userId, keyHash, expiresAt } = row;
  if (userId !== null) return { hash, owner: { ...userPrincipal(userId), tokenHash: keyHash }, expiresAt };
  const isOfKey = isSameMark(keyHash, adminKeyMark(adminKey, id));
  return isOfKey ? { hash, owner: { kind: "admin" }, expiresAt } : undefined;
}
