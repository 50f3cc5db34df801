/** Every kind of key that a caller may send. */
export const KEYS = [
  "none",
  "wrong",
  "user",
  "another user",
  "disabled",
  "expired",
  "agent",
  "admin",
] as const;
export type Key = (typeof KEYS)[number];

/** Every kind of cookie that a browser may send. */
export const COOKIES = [
  "admin's session",
  "user's session",
  "session from another site",
  "ended session",
] as const;
export type Cookie = (typeof COOKIES)[number];

export interface Route {
  /** The body is sent as a form. */
  isForm?: true;
  /** The owner is the first user. Agents register from behind a proxy, where a key is always needed. */
  for: "anyone" | "caller" | "owner" | "admin" | "agent";
  /** For a path with parameters, or with something that must be created first. */
  path?: () => string | Promise<string>;
  body?: () => unknown;
  /** Default: 200. */
  status?: number;
  /** A session does not open it. */
  keyOnly?: true;
}

export function isAllowedByCookie(route: Route, kind: Cookie): boolean {
  if (route.for === "anyone") return true;
  if (route.keyOnly) return false;
  return kind === "admin's session" || (kind === "user's session" && route.for !== "admin");
}

export function isAllowed(route: Route, key: Key): boolean {
  if (route.for === "anyone" || key === "admin") return route.for !== "agent";
  if (route.for === "agent") return key === "agent";
  if (route.for === "admin") return false;
  return key === "user" || (key === "another user" && route.for === "caller");
}

/** The headers that can hold a key. On routes for administrators, it may also be in the body or the query. */
export const WAYS = {
  bare: (key: string) => ({ authorization: key }),
  Bearer: (key: string) => ({ authorization: `Bearer ${key}` }),
  "x-api-key": (key: string) => ({ "x-api-key": key }),
};

/** Returns the error for a refused request. It is the same for every wrong key. */
export function refusal({ for: who }: Route, key: Key): RegExp {
  if (who === "admin") return /Invalid admin key/;
  return key === "none" ? /API key not provided/ : /Invalid API key/;
}
