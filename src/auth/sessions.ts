import { randomBytes } from "node:crypto";
import { BoundedMap } from "../bounded-map.ts";
import { isSamePrincipal, type UserPrincipal } from "../principal.ts";
import { isSameOrigin } from "./same-origin.ts";
import { hashSecret } from "./secret.ts";

/** The principal whose key began a session. For a user the key is one token, and the session ends with it. */
export type SessionOwner = { kind: "admin" } | (UserPrincipal & { tokenHash: string });

export interface Session {
  readonly owner: SessionOwner;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Why a cookie does not count: its session has ended or never existed, or a page of another site sent it. */
export type SessionFault = "ended" | "foreign";

interface SessionsOptions {
  lastsMs: number;
  /** Returns the server's port. Called late, as the port may not be known earlier. */
  port: () => number;
  now?: () => number;
  allMax?: number;
  ownerMax?: number;
}

const ALL_MAX = 1_000;
const OWNER_MAX = 20;
const ID_BYTES = 32;
const ID = /^[\w-]{43}$/;

export type Sessions = ReturnType<typeof createSessions>;

/**
 * Keeps the browsers that are signed in, each by a cookie. Only the hashes of the cookies are kept, and only
 * in memory. The name of the cookie includes the server's port, as browsers keep cookies by host and not by
 * port. Over TLS it also has the prefix by which browsers let only this very host set it:
 * https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie#cookie_prefixes.
 * Hand-written, as session libraries neither bound their memory nor end a session with its key.
 */
export function createSessions(options: SessionsOptions) {
  const { lastsMs, port, now = Date.now, allMax = ALL_MAX, ownerMax = OWNER_MAX } = options;
  // By the hash of the cookie, oldest first.
  const sessions = new BoundedMap<string, Session>(allMax);
  const hashes = new WeakMap<Session, string>();
  /** The sessions that were begun over TLS. A cookie without the prefix does not count for them. */
  const secureOnes = new WeakSet<Session>();
  const nameOf = (isSecure: boolean) => `${isSecure ? "__Host-" : ""}session-${port()}`;

  function makeRoom(owner: SessionOwner): void {
    const own: string[] = [];
    for (const [hash, session] of sessions) {
      if (session.expiresAt <= now()) sessions.delete(hash);
      else if (isSamePrincipal(session.owner, owner)) own.push(hash);
    }
    for (const hash of own.slice(0, Math.max(0, own.length - ownerMax + 1))) sessions.delete(hash);
  }

  /** Whether the session has neither expired nor been ended. Does not check the user's token. */
  function isAlive(session: Session): boolean {
    return sessions.has(hashes.get(session) ?? "") && session.expiresAt > now();
  }

  return {
    /** Begins a session, and returns its `Set-Cookie` header. At a limit, the oldest session is ended. */
    begin(owner: SessionOwner, { secure }: { secure: boolean }) {
      makeRoom(owner);
      const id = randomBytes(ID_BYTES).toString("base64url");
      const session: Session = { owner, expiresAt: now() + lastsMs };
      const hash = hashSecret(id);
      sessions.set(hash, session);
      hashes.set(session, hash);
      if (secure) secureOnes.add(session);
      return {
        session,
        cookie: cookieOf(nameOf(secure), id, { secure, maxAgeS: Math.floor(lastsMs / 1000) }),
      };
    },

    /** Returns the session of the headers' cookie, or why it does not count; undefined without a cookie. */
    read(headers: Headers): Session | SessionFault | undefined {
      const ofHost = cookiesOf(headers, nameOf(true));
      const isSecure = ofHost.size > 0;
      const ids = isSecure ? ofHost : cookiesOf(headers, nameOf(false));
      if (ids.size === 0) return undefined;
      if (!isSameOrigin(headers)) return "foreign";
      const [id = ""] = ids;
      // This server sets one. Of two, it cannot tell which is its own.
      if (ids.size > 1 || !ID.test(id)) return "ended";
      const session = sessions.get(hashSecret(id));
      return session && isAlive(session) && secureOnes.has(session) === isSecure ? session : "ended";
    },

    isAlive,

    end(session: Session): void {
      sessions.delete(hashes.get(session) ?? "");
    },

    /** Returns the `Set-Cookie` header that deletes the cookie. */
    clearingCookie: ({ secure }: { secure: boolean }) => cookieOf(nameOf(secure), "", { secure, maxAgeS: 0 }),

    /** The number of sessions. */
    get size() {
      return sessions.size;
    },
  };
}

function cookieOf(name: string, value: string, options: { secure: boolean; maxAgeS: number }): string {
  const { secure, maxAgeS: maxAge } = options;
  const fixed = { path: "/", httpOnly: true, sameSite: "strict" } as const;
  return new Bun.Cookie(name, value, { ...fixed, secure, maxAge }).serialize();
}

/** Returns the different values of the cookies with this name. */
function cookiesOf(headers: Headers, name: string): Set<string> {
  const cookies = headers.get("cookie") ?? "";
  // Thousands of other cookies would take the runtime's parser a millisecond.
  const own = cookies.matchAll(new RegExp(`(?:^|;)[ \\t]*${name}=([^;]*)`, "g"));
  return new Set([...own].map(([, value = ""]) => value.trim()));
}
