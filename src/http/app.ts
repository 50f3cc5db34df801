import { Hono } from "hono";
import { getPath } from "hono/utils/url";
import { AppError } from "../errors.ts";
import type { HttpContext, HttpEnv } from "./context.ts";
import { referenceStyle } from "./errors/reference.ts";
import { errorResponse } from "./errors/response.ts";
import { onError, type RequestDeps, requestMiddleware, styleOf } from "./middleware/request.ts";
import { toDashboard } from "./operations/dashboard.ts";
import { createPipeline, type PipelineOptions } from "./pipeline.ts";
import { bindResources, type ResourceDeps, ROUTES } from "./resources.ts";
import { createRouteTable, type RouteTable } from "./route-table.ts";
import { createRouter } from "./router.ts";

export interface AppDeps extends Omit<RequestDeps, "routes"> {
  pipeline: PipelineOptions;
  /** The dependencies of the handlers of each resource. */
  resources: ResourceDeps;
}

/** All HTTP routes. `fetch` needs the server it runs in: `app.fetch(request, { server })`. */
export function createApp(deps: AppDeps): Hono<HttpEnv> {
  const routes = createRouteTable(ROUTES);
  const app = new Hono<HttpEnv>({
    router: createRouter(),
    // Whatever reads the path of a request reads this one, so an alias is treated as the route that it stands for.
    getPath: (request) => routes.canonical(getPath(request)),
  });
  app.use(requestMiddleware({ ...deps, routes }));
  app.options("*", preflight);
  const serve = createPipeline(deps.pipeline);
  for (const bound of bindResources(deps.resources))
    app.on(bound.route.method, bound.route.path, serve(bound));
  app.onError(onError({ ...deps, routes }));
  app.notFound((c) => toDashboard(c) ?? refuse(c, routes));
  return app;
}

/**
 * Lets a page of any site call the API with a key. A session's cookie counts for the server's own pages only.
 */
function preflight(c: HttpContext): Response {
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-headers":
        c.req.header("access-control-request-headers") ?? "authorization, content-type",
      "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
      "access-control-max-age": "86400",
      vary: "Access-Control-Request-Headers",
    },
  });
}

/** Answers a request without a route: 405 with `Allow` if the path has other methods, otherwise 404. */
function refuse(c: HttpContext, routes: RouteTable): Response {
  const methods = routes.methodsOf(c.req.path);
  const allow = [...methods, "OPTIONS"].join(", ");
  const style = styleOf(c, routes);
  const error =
    methods.length === 0
      ? new AppError("not_found", style === referenceStyle ? {} : { hint: baseUrlHint(c.req.url) })
      : isWebSocket(c)
        ? new AppError("websocket_refused", { hint: "Send the request as an HTTP POST." })
        : new AppError("method_not_allowed", { hint: `This path accepts ${allow}.` });
  c.set("error", error.code);
  const response = errorResponse(error, style, c.get("requestId"));
  if (methods.length > 0) response.headers.set("allow", allow);
  // RFC 9110, 15.5.22: a 426 names the protocol that is wanted.
  if (error.code === "websocket_refused") response.headers.set("upgrade", "HTTP/1.1");
  return response;
}

/** Codex opens a WebSocket at `/v1/responses`, and uses HTTP at once if that is answered with 426. */
const isWebSocket = (c: HttpContext): boolean => c.req.header("upgrade")?.toLowerCase() === "websocket";

/** Returns what to do about a path of the model API that does not exist: most often the base URL is wrong. */
function baseUrlHint(url: string): string {
  const { origin } = new URL(url);
  return `The base URL for OpenAI clients is ${origin}/v1, and for Anthropic clients ${origin}.`;
}
