import { createHmac, randomBytes } from "node:crypto";
import { createSecret } from "../secret.ts";

const ID_BYTES = 32;
const ID = /^[\w-]{43}$/;

/** Creates the value of a session's cookie: 256 random bits. */
export const newSessionId = (): string => randomBytes(ID_BYTES).toString("base64url");

export const isSessionId = (text: string): boolean => ID.test(text);

/** Names, writes and reads the cookies of sessions. */
export interface SessionCookies {
  /** Returns the `Set-Cookie` header; with an empty `value` and an age of 0, the one that deletes the cookie. */
  write(value: string, options: { secure: boolean; maxAgeS: number }): string;
  /** Returns the different values of the headers' cookies, and whether they have the prefix of TLS. */
  read(headers: Headers): { ids: ReadonlySet<string>; isSecure: boolean };
}

/**
 * The cookies of the servers with one `label`: browsers keep cookies by host and not by port, so each needs its own. Over
 * TLS the name also has the prefix by which browsers let only this very host set it:
 * https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie#cookie_prefixes.
 */
export function createSessionCookies(label: () => string): SessionCookies {
  const nameOf = (isSecure: boolean) => `${isSecure ? "__Host-" : ""}session-${label()}`;
  return {
    write(value, { secure, maxAgeS: maxAge }) {
      const fixed = { path: "/", httpOnly: true, sameSite: "strict" } as const;
      return new Bun.Cookie(nameOf(secure), value, { ...fixed, secure, maxAge }).serialize();
    },
    read(headers) {
      const ofHost = cookiesOf(headers, nameOf(true));
      const isSecure = ofHost.size > 0;
      return { ids: isSecure ? ofHost : cookiesOf(headers, nameOf(false)), isSecure };
    },
  };
}

function cookiesOf(headers: Headers, name: string): Set<string> {
  const cookies = headers.get("cookie") ?? "";
  // Thousands of other cookies would take the runtime's parser a millisecond.
  const own = cookies.matchAll(new RegExp(`(?:^|;)[ \\t]*${name}=([^;]*)`, "g"));
  return new Set([...own].map(([, value = ""]) => value.trim()));
}

/**
 * Returns a fingerprint of the admin key for one session, by which its row ends with the key. It is keyed with the
 * cookie, which is stored nowhere: the database helps nobody guess the admin key.
 */
export const adminKeyMark = (adminKey: string, sessionId: string): string =>
  createHmac("sha256", sessionId).update(`chatgpt-api-server admin key 1 ${adminKey}`).digest("hex");

/** Compares in constant time. */
export const isSameMark = (mark: string, expected: string): boolean => createSecret(expected).matches(mark);
