import type { Router } from "hono/router";
import { TrieRouter } from "hono/router/trie-router";

/**
 * Finds the route for a request. A path that is declared in full, such as `/admin/users/add`, is never the
 * value of a parameter, as in `/admin/users/:id`. Hono's fast router does not take such routes side by side.
 */
export function createRouter<Handler>(): Router<Handler> {
  const all = new TrieRouter<Handler>();
  const withoutParams = new TrieRouter<Handler>();
  const fullPaths = new Set<string>();
  return {
    name: "full paths, TrieRouter",
    add(method, path, handler) {
      all.add(method, path, handler);
      if (path.includes(":")) return;
      withoutParams.add(method, path, handler);
      if (!path.includes("*")) fullPaths.add(path);
    },
    match: (method, path) => (fullPaths.has(path) ? withoutParams : all).match(method, path),
  };
}
