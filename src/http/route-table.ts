import type { NamedRoute } from "./route.ts";
import { createRouter } from "./router.ts";

/** The declared routes, to look one up. */
export interface RouteTable {
  /** Returns the route that serves the request, if there is one. */
  find(method: string, path: string): NamedRoute | undefined;
  /** Returns the methods that the path accepts; none for an unknown path. */
  methodsOf(path: string): string[];
}

const METHODS = ["GET", "POST", "PATCH", "DELETE"];

export function createRouteTable(routes: readonly NamedRoute[]): RouteTable {
  const router = createRouter<NamedRoute>();
  for (const route of routes) router.add(route.method, route.path, route);

  const find = (method: string, path: string) =>
    router.match(method === "HEAD" ? "GET" : method, path)[0][0]?.[0];
  return {
    find,
    methodsOf: (path) =>
      METHODS.filter((method) => find(method, path)).flatMap((method) =>
        method === "GET" ? ["GET", "HEAD"] : method,
      ),
  };
}
