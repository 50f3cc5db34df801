/** Who makes a request: a user, or the admin, who holds the admin key or a session begun with it. */
export type Principal = { readonly kind: "admin" } | UserPrincipal;

export interface UserPrincipal {
  readonly kind: "user";
  /** May be any text, `admin` included, as users are imported with the ids that they have elsewhere. */
  readonly id: string;
}

export const ADMIN: Principal = { kind: "admin" };

export function userPrincipal(id: string): UserPrincipal {
  return { kind: "user", id };
}

export function isSamePrincipal(one: Principal, other: Principal): boolean {
  return userIdOf(one) === userIdOf(other);
}

/** Returns the user's id, or null for the admin: for a column, a JSON answer, or the key of a `Map`. */
export function userIdOf(principal: Principal): string | null {
  return principal.kind === "user" ? principal.id : null;
}

/** The inverse of `userIdOf`. */
export function principalOf(userId: string | null): Principal {
  return userId === null ? ADMIN : userPrincipal(userId);
}

/**
 * Returns a name for the log: `admin`, or the user's id. An id that could be mistaken for something else,
 * such as `admin`, is preceded by `user:`.
 */
export function principalName(principal: Principal): string {
  if (principal.kind === "admin") return "admin";
  return /^(?:admin$|user:|$)/.test(principal.id) ? `user:${principal.id}` : principal.id;
}

/** The inverse of `principalName`, for queries. */
export function principalNamed(name: string): Principal {
  if (name === "admin") return ADMIN;
  return userPrincipal(name.startsWith("user:") ? name.slice("user:".length) : name);
}
