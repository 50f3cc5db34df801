import type { Hono } from "hono";
import { AppError } from "../errors.ts";
import type { HttpContext, HttpEnv } from "./context.ts";
import { errorResponse } from "./errors/response.ts";

/** Lets a page of any site call the API with a key. A session's cookie counts for the server's own pages only. */
export function preflight(c: HttpContext): Response {
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

/** Answers what no route took: 405 with `Allow` where the path is known under other methods, else 404. */
export function notFound(app: Hono<HttpEnv>) {
  const routes = app.routes.filter(({ method }) => method !== "ALL" && method !== "OPTIONS");
  return (c: HttpContext): Response => {
    const allowed = new Set<string>();
    const known = routes.filter(({ path }) => matches(path, c.req.path));
    const named = known.filter(({ path }) => path === c.req.path);
    // What is named in full is no value of a parameter.
    for (const { method } of named.length > 0 ? named : known) {
      allowed.add(method);
      if (method === "GET") allowed.add("HEAD");
    }
    if (allowed.size === 0) return refuse(c, new AppError("not_found"));
    const allow = [...allowed, "OPTIONS"].join(", ");
    const response = refuse(c, new AppError("method_not_allowed", { hint: `This path takes ${allow}.` }));
    response.headers.set("allow", allow);
    return response;
  };
}

function refuse(c: HttpContext, error: AppError): Response {
  c.set("error", error.code);
  return errorResponse(error, c.req.path, c.get("requestId"));
}

function matches(pattern: string, path: string): boolean {
  const wanted = pattern.split("/");
  const given = path.split("/");
  const hasRest = pattern.endsWith("{.+}");
  return (
    (hasRest ? given.length >= wanted.length : given.length === wanted.length) &&
    wanted.every((part, at) => (part.startsWith(":") ? given[at] !== "" : part === given[at]))
  );
}
