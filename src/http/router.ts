import type { Result, Router } from "hono/router";
import { TrieRouter } from "hono/router/trie-router";

/**
 * Finds the route for a request. A path that is declared in full, such as `/admin/users/add`, is never the
 * value of a parameter, as in `/admin/users/:id`. Hono's fast router does not take such routes side by side,
 * so its slower one is asked, only once for each path that is declared in full.
 */
export function createRouter<Handler>(): Router<Handler> {
  const all = new TrieRouter<Handler>();
  const withoutParams = new TrieRouter<Handler>();
  const fullPaths = new Set<string>();
  const found = new Map<string, Map<string, Result<Handler>>>();
  return {
    name: "known paths, TrieRouter",
    add(method, path, handler) {
      all.add(method, path, handler);
      if (path.includes(":")) return;
      withoutParams.add(method, path, handler);
      if (path.includes("*")) return;
      fullPaths.add(path);
      found.set(method, new Map());
    },
    match(method, path) {
      const known = found.get(method);
      const kept = known?.get(path);
      if (kept) return kept;
      if (!fullPaths.has(path)) return all.match(method, path);
      const result = withoutParams.match(method, path);
      // Callers can make up methods, so the results for unknown ones are not kept.
      known?.set(path, result);
      return result;
    },
  };
}
