import { createPathAliases } from "./path-aliases.ts";
import type { NamedRoute } from "./route.ts";
import { createRouter } from "./router.ts";

const METHODS = ["GET", "POST", "PATCH", "DELETE"];

/** No path of a route has more segments, not even one with the longest name of a model. */
const SEGMENTS_MAX = 64;

/** Ends a path that was cut. No route has such a segment. */
const CUT = "/\u2026";

export type RouteTable = ReturnType<typeof createRouteTable>;

/** Finds declared routes. */
export function createRouteTable(routes: readonly NamedRoute[]) {
  const router = createRouter<NamedRoute>();
  for (const route of routes) router.add(route.method, route.path, route);
  const aliases = createPathAliases(routes);
  const segments = routes.map((route) => ({ route, parts: route.path.split("/") }));

  /** Returns the route that serves the request, if there is one. */
  const find = (method: string, path: string): NamedRoute | undefined =>
    router.match(method === "HEAD" ? "GET" : method, path)[0][0]?.[0];
  return {
    find,
    /** The paths of routes without parameters. */
    fullPaths: [...new Set(routes.map(({ path }) => path))].filter((path) => !path.includes(":")),
    /** Whether an unknown path ends as a path of the model API does: most often its base URL is wrong. */
    endsWithRoute: (path: string): boolean => aliases.atEnd(path) !== undefined,
    /** Returns the declared path that a path of the model API stands for, or else the given path, if not cut. */
    canonical: (path: string): string => aliases.canonical(shortened(path)),
    /**
     * Returns the route that an unknown path comes closest to: the one that it ends with, or else, of those with
     * the most leading segments in common, the first. Undefined if not even the first segment is known.
     */
    nearest(path: string): NamedRoute | undefined {
      const end = aliases.atEnd(path);
      const ended = end === undefined ? undefined : routes.find((route) => route.path === end);
      if (ended) return ended;
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
    /** Returns the methods that the path accepts; none for an unknown path. */
    methodsOf(path: string): string[] {
      const known = METHODS.filter((method) => find(method, path));
      return known.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : method));
    },
  };
}

/** Returns a path with fewer segments. For thousands of them, each look-up of a route takes a millisecond. */
function shortened(path: string): string {
  let end = 0;
  for (let segments = 0; segments <= SEGMENTS_MAX; segments++) {
    end = path.indexOf("/", end + 1);
    if (end < 0) return path;
  }
  return path.slice(0, end) + CUT;
}
