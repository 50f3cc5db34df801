import { createStore, type Store } from "./store.ts";

/** What stands after `#/` in the address: `#/users/u1?tab=usage` is the page `users` with the argument `u1`. */
export interface Route {
  page: string;
  /** Decoded; empty where there is none. */
  argument: string;
  query: URLSearchParams;
}

export function readRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [page = "", ...rest] = path.split("/");
  return { page, argument: decode(rest.join("/")), query: new URLSearchParams(query) };
}

/** The address of a page, for links. */
export function hrefOf(page: string, argument = "", query: Record<string, string> = {}): string {
  const search = new URLSearchParams(query).toString();
  return `#/${page}${argument && `/${encodeURIComponent(argument)}`}${search && `?${search}`}`;
}

/** The one-time code of a sign-in link, `#code=…`. */
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

/** The hash of the address, as it is now. */
export const hash: Store<string> = createStore("");
