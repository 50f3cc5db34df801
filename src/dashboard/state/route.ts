import { createStore, type Store } from "./store.ts";

/** The part of the address after `#/`: `#/users/u1?tab=usage` is the page `users` with the argument `u1`. */
export interface Route {
  page: string;
  /** Decoded; empty if there is none. */
  argument: string;
  query: URLSearchParams;
}

export function readRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [page = "", ...rest] = path.split("/");
  return { page, argument: decode(rest.join("/")), query: new URLSearchParams(query) };
}

/** Returns the address of a page, for links. */
export function hrefOf(page: string, argument = "", query: Record<string, string> = {}): string {
  const search = new URLSearchParams(query).toString();
  return `#/${page}${argument && `/${encodeURIComponent(argument)}`}${search && `?${search}`}`;
}

/** Returns the one-time code of a sign-in link, `#code=…`. */
export function readCode(hash: string): string | undefined {
  return new URLSearchParams(hash.replace(/^#/, "")).get("code") || undefined;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The current hash of the address. */
export const hash: Store<string> = createStore("");
