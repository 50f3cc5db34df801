import type { NamedRoute } from "./route.ts";
import { createRouter } from "./router.ts";

/** Finds declared routes. */
export interface RouteTable {
  /** Returns the route that serves the request, if there is one. */
  find(method: string, path: string): NamedRoute | undefined;
  /**
   * Returns the route that a request without one comes closest to: of those with the most leading segments in
   * common, the first. Undefined if not even the first segment is known.
   */
  nearest(path: string): NamedRoute | undefined;
  /** Returns the methods that the path accepts; none for an unknown path. */
  methodsOf(path: string): string[];
}

const METHODS = ["GET", "POST", "PATCH", "DELETE"];

export function createRouteTable(routes: readonly NamedRoute[]): RouteTable {
  const router = createRouter<NamedRoute>();
  for (const route of routes) router.add(route.method, route.path, route);
  const segments = routes.map((route) => ({ route, parts: route.path.split("/") }));

  const find = (method: string, path: string) =>
    router.match(method === "HEAD" ? "GET" : method, path)[0][0]?.[0];
  return {
    find,
    nearest(path) {
      const wanted = path.split("/");
      let best: NamedRoute | undefined;
      // Every path begins with an empty segment.
      let most = 1;
      for (const { route, parts } of segments) {
        const differs = parts.findIndex((part, at) => part !== wanted[at]);
        const common = differs === -1 ? parts.length : differs;
        if (common <= most) continue;
        best = route;
        most = common;
      }
      return best;
    },
    methodsOf: (path) =>
      METHODS.filter((method) => find(method, path)).flatMap((method) =>
        method === "GET" ? ["GET", "HEAD"] : method,
      ),
  };
}
