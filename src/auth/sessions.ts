import { randomBytes } from "node:crypto";
import { BoundedMap } from "../bounded-map.ts";
import { isSamePrincipal, type UserPrincipal } from "../principal.ts";
import { isSameOrigin } from "./same-origin.ts";
import { hashSecret } from "./secret.ts";

/** Whose key a session stands for. Of a user it is one token: with it the session ends. */
export type SessionOwner = { kind: "admin" } | (UserPrincipal & { tokenHash: string });

export interface Session {
  readonly owner: SessionOwner;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Why a cookie stands for no session: there is none of that name any more, or a page of another site sent it. */
export type SessionFault = "ended" | "foreign";

/**
 * Who is signed in, by a cookie. Here are only hashes of the cookies, and none survives a restart. The name of the
 * cookie has the server's port, as browsers keep cookies by host and not by port.
 */
export interface Sessions {
  /** Gives the cookie's header too. An owner's oldest session, or the oldest of all, makes room. */
  begin(owner: SessionOwner, options: { secure: boolean }): { session: Session; cookie: string };
  /** What the cookie in the headers stands for; undefined where there is none. */
  shown(headers: Headers): Session | SessionFault | undefined;
  /** Neither over nor ended; the user's token is another question. */
  isAlive(session: Session): boolean;
  end(session: Session): void;
  /** The header that takes the cookie away. */
  cleared(options: { secure: boolean }): string;
  /** How many there are. */
  readonly size: number;
}

interface SessionsOptions {
  lastsMs: number;
  /** Of the server; asked when it is needed, as it may be known only then. */
  port: () => number;
  /** Milliseconds since 1970. */
  now?: () => number;
  allMax?: number;
  ownerMax?: number;
}

const ALL_MAX = 1_000;
const OWNER_MAX = 20;
const ID_BYTES = 32;
const ID = /^[\w-]{43}$/;

export function createSessions(options: SessionsOptions): Sessions {
  const { lastsMs, port, now = Date.now, allMax = ALL_MAX, ownerMax = OWNER_MAX } = options;
  // By the hash of the cookie, in the order in which they began.
  const sessions = new BoundedMap<string, Session>(allMax);
  const hashes = new WeakMap<Session, string>();
  const nameOf = () => `session-${port()}`;

  function makeRoom(owner: SessionOwner): void {
    const own: string[] = [];
    for (const [hash, session] of sessions) {
      if (session.expiresAt <= now()) sessions.delete(hash);
      else if (isSamePrincipal(session.owner, owner)) own.push(hash);
    }
    for (const hash of own.slice(0, Math.max(0, own.length - ownerMax + 1))) sessions.delete(hash);
  }

  function isAlive(session: Session): boolean {
    return sessions.has(hashes.get(session) ?? "") && session.expiresAt > now();
  }

  return {
    begin(owner, { secure }) {
      makeRoom(owner);
      const id = randomBytes(ID_BYTES).toString("base64url");
      const session = { owner, expiresAt: now() + lastsMs };
      const hash = hashSecret(id);
      sessions.set(hash, session);
      hashes.set(session, hash);
      return { session, cookie: cookieOf(nameOf(), id, { secure, maxAgeS: Math.floor(lastsMs / 1000) }) };
    },

    shown(headers) {
      const ids = valuesOf(headers.get("cookie"), nameOf());
      if (ids.size === 0) return undefined;
      if (!isSameOrigin(headers)) return "foreign";
      const [id = ""] = ids;
      // Two were not set by this server, and which of them was cannot be told.
      if (ids.size > 1 || !ID.test(id)) return "ended";
      const session = sessions.get(hashSecret(id));
      return session && isAlive(session) ? session : "ended";
    },

    isAlive,

    end(session) {
      sessions.delete(hashes.get(session) ?? "");
    },

    cleared: ({ secure }) => cookieOf(nameOf(), "", { secure, maxAgeS: 0 }),

    get size() {
      return sessions.size;
    },
  };
}

/** https://www.rfc-editor.org/rfc/rfc6265#section-4.1 */
function cookieOf(
  name: string,
  value: string,
  { secure, maxAgeS }: { secure: boolean; maxAgeS: number },
): string {
  const kept = `${name}=${value}; Path=/; Max-Age=${maxAgeS}; HttpOnly; SameSite=Strict`;
  return secure ? `${kept}; Secure` : kept;
}

/** The different values that a cookie of the name has. */
function valuesOf(header: string | null, name: string): Set<string> {
  const values = new Set<string>();
  for (const pair of header?.split(";") ?? []) {
    const at = pair.indexOf("=");
    if (at > 0 && pair.slice(0, at).trim() === name) values.add(pair.slice(at + 1).trim());
  }
  return values;
}
