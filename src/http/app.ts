import { type Context, Hono } from "hono";
import { getPath } from "hono/utils/url";
import { AppError } from "../errors.ts";
import { referenceStyle } from "./errors/reference.ts";
import { errorResponse } from "./errors/response.ts";
import type { ErrorStyle } from "./errors/style.ts";
import { type Arrival, type BunServer, Exchange } from "./exchange.ts";
import { createRespond, type RespondDeps, type Serve, styleOf } from "./middleware/respond.ts";
import { atHome } from "./operations/dashboard.ts";
import { createPipeline, type PipelineOptions } from "./pipeline.ts";
import { bindResources, type ResourceDeps, ROUTES } from "./resources.ts";
import type { NamedRoute } from "./route.ts";
import { createRouteTable, type RouteTable } from "./route-table.ts";
import { createRouter } from "./router.ts";
import { isNotOffered, unknownPathHint } from "./unknown-path.ts";
import { withWholeUrl } from "./whole-url.ts";

export interface AppDeps extends Omit<RespondDeps, "routes" | "limits"> {
  newRequestId: () => string;
  pipeline: PipelineOptions;
  /** The dependencies of the handlers of each resource. */
  resources: ResourceDeps;
}

type HonoContext = Context<{ Bindings: { server: BunServer } }>;

const NO_PARAMS = {};

/**
 * Returns the handler of all HTTP requests, and the routes. A path that is declared in full is looked up here, as most
 * requests have one. Hono finds the rest: parameters, aliases, other methods, and whatever no route serves.
 */
export function createApp(deps: AppDeps) {
  const { newRequestId, accessControl, pipeline } = deps;
  const routes = createRouteTable(ROUTES);
  const respond = createRespond({ ...deps, limits: pipeline.limits, routes });
  const app = new Hono<{ Bindings: { server: BunServer } }>({
    router: createRouter(),
    // Whatever reads the path of a request reads this one, so an alias is treated as the route that it stands for.
    getPath: (request) => routes.canonical(getPath(request)),
  });
  const respondTo = (arrival: Arrival, serve: Serve) =>
    respond(new Exchange(arrival, newRequestId(), accessControl), serve);
  const handler =
    (serve: Serve, route?: NamedRoute) =>
    ({ req, env: { server } }: HonoContext) => {
      const params = route?.path.includes(":") ? req.param() : NO_PARAMS;
      return respondTo({ request: req.raw, server, path: req.path, route, params }, serve);
    };
  app.options("*", handler(preflight));
  const serve = createPipeline(pipeline);
  const declared = new Map<string, Map<string, { route: NamedRoute; serve: Serve }>>();
  for (const bound of bindResources(deps.resources)) {
    const { route } = bound;
    const { method, path } = route;
    const served = serve(bound);
    app.on(method, path, handler(served, route));
    if (path.includes(":")) continue;
    declared.set(path, (declared.get(path) ?? new Map()).set(method, { route, serve: served }));
  }
  app.notFound(handler((exchange) => atHome(exchange) ?? refuse(exchange, routes)));
  // The listener answers a fault of `respond` itself.
  app.onError((error) => {
    throw error;
  });
  return {
    routes: app.routes,
    fetch(given: Request, server: BunServer): Response | Promise<Response> {
      const request = withWholeUrl(given);
      const path = pathOf(request.url);
      const found = declared.get(path)?.get(request.method);
      if (!found) return app.fetch(request, { server });
      return respondTo({ request, server, path, route: found.route, params: NO_PARAMS }, found.serve);
    },
  };
}

/** Returns the path of a whole URL as it was sent. Only in Hono's is it decoded. */
function pathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const query = url.indexOf("?", start);
  return url.slice(start, query < 0 ? undefined : query);
}

/**
 * Lets a page of any site call the API with a key. A session's cookie counts for the server's own pages only.
 */
function preflight({ request }: Exchange): Response {
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-headers":
        request.headers.get("access-control-request-headers") ?? "authorization, content-type",
      "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
      "access-control-max-age": "86400",
      vary: "Access-Control-Request-Headers",
    },
  });
}

/** Answers a request without a route: 405 with `Allow` if the path has other methods, otherwise 404. */
function refuse(exchange: Exchange, routes: RouteTable): Response {
  const { request, path, requestId } = exchange;
  const methods = isNotOffered(path) ? [] : routes.methodsOf(path);
  const allow = [...methods, "OPTIONS"].join(", ");
  const style = styleOf(exchange, routes);
  const error =
    methods.length === 0
      ? notFound(exchange, style, routes)
      : isWebSocket(request)
        ? new AppError("websocket_refused", { hint: "Send the request as an HTTP POST." })
        : new AppError("method_not_allowed", { hint: `This path accepts ${allow}.` });
  exchange.error = error.code;
  const response = errorResponse(error, style, requestId);
  if (methods.length > 0) response.headers.set("allow", allow);
  // RFC 9110, 15.5.22: a 426 names the protocol that is wanted.
  if (error.code === "websocket_refused") response.headers.set("upgrade", "HTTP/1.1");
  return response;
}

function notFound({ request, path }: Exchange, style: ErrorStyle, routes: RouteTable): AppError {
  const hint =
    unknownPathHint(path, routes) ?? (style === referenceStyle ? undefined : baseUrlHint(request.url));
  return new AppError("not_found", { ...(hint !== undefined && { hint }) });
}

/** Codex opens a WebSocket at `/v1/responses`, and uses HTTP at once if that is answered with 426. */
const isWebSocket = ({ headers }: Request): boolean => headers.get("upgrade")?.toLowerCase() === "websocket";

/** Returns what to do about a path of the model API that does not exist: most often the base URL is wrong. */
function baseUrlHint(url: string): string {
  const { origin } = new URL(url);
  return `The base URL for OpenAI clients is ${origin}/v1, and for Anthropic and Ollama clients ${origin}.`;
}
