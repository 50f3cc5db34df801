import { AppError } from "../errors.ts";
import type { HttpContext } from "./context.ts";
import { errorResponse } from "./errors/response.ts";
import { styleOf } from "./middleware/request.ts";
import type { RouteTable } from "./route-table.ts";

/**
 * Lets a page of any site call the API with a key. A session's cookie counts for the server's own pages only.
 */
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

/**
 * Returns what answers a request without a route: 405 with `Allow` if the path has other methods, otherwise
 * 404.
 */
export function createNotFound(table: RouteTable) {
  const refuse = (c: HttpContext, error: AppError) => {
    c.set("error", error.code);
    return errorResponse(error, styleOf(c, table), c.get("requestId"));
  };
  return (c: HttpContext): Response => {
    const methods = table.methodsOf(c.req.path);
    if (methods.length === 0) return refuse(c, new AppError("not_found"));
    const allow = [...methods, "OPTIONS"].join(", ");
    const response = refuse(c, new AppError("method_not_allowed", { hint: `This path accepts ${allow}.` }));
    response.headers.set("allow", allow);
    return response;
  };
}
