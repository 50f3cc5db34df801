import type { Limits } from "../auth/limits.ts";
import { AppError, type ErrorCode } from "../errors.ts";
import type { Authenticate } from "./authenticate.ts";
import { type HttpContext, json as jsonResponse } from "./context.ts";
import type { AccessControl } from "./middleware/access.ts";
import { type BodyLimits, parseBody, parseShape, readText } from "./middleware/body.ts";
import { EventStreamResponse } from "./middleware/event-stream.ts";
import { showLimits } from "./middleware/limits.ts";
import { estimateRequest } from "./middleware/request-tokens.ts";
import {
  type AnyRequest,
  type BodyDeclaration,
  type BoundRoute,
  Reply,
  type RouteDeclaration,
} from "./route.ts";

export interface PipelineOptions {
  authenticate: Authenticate;
  limits: Limits;
  bodyLimits: BodyLimits;
  accessControl: Pick<AccessControl, "enterAsStranger">;
}

type Serve = (c: HttpContext) => Promise<Response>;

/**
 * Bounds the body of an administrator's request. It is read before its key can be checked, so anybody may
 * send one.
 */
const ADMIN_BODY_BYTES_MAX = 2 * 1024 * 1024;

/** Returns a function that serves a route: it authenticates, checks query and body, and calls the handler. */
export function createPipeline(options: PipelineOptions): (bound: BoundRoute) => Serve {
  return (bound) => {
    const { limits, body, access, path } = bound.route;
    if (limits === "admit") return serveAdmitted(options, bound);
    if (body && access !== "adminOrBody" && access !== "signIn")
      throw new Error(`${path}: nothing reads the declared body`);
    return serve(options, bound);
  };
}

const NO_PARAMS = {};

function serve(options: PipelineOptions, { route, handler }: BoundRoute): Serve {
  const enter = createEntrance(options, route);
  const hasParams = route.path.includes(":");
  return async (c) => {
    const entering = enter(c);
    const { caller, body, json } = entering instanceof Promise ? await entering : entering;
    const params = hasParams ? c.req.param() : NO_PARAMS;
    const query = route.query && parseShape(route.query, c.req.query(), "request_invalid");
    const answer = await handler({ c, caller, params, query, body, text: "", json });
    if (answer === undefined) c.set("upgraded", true);
    return toResponse(answer);
  };
}

/**
 * Serves a request that counts against its user's limits. It is admitted before its body is read, so a user
 * above their limits costs next to nothing, and a request that then proves faulty counts too. The tokens that
 * it may need are known, and reserved, only when its body is read.
 *
 * Its lease ends with the handler or, if that answers with a stream, when the streamed ask has ended.
 */
function serveAdmitted(
  { authenticate, limits, bodyLimits }: PipelineOptions,
  { route, handler }: BoundRoute,
): Serve {
  const { body: declared, outputLimits } = route;
  if (!declared) throw new Error(`${route.path}: a route with limits has a body`);
  const error = errorOf(declared);
  return async (c) => {
    const caller = await authenticate.caller(c);
    showLimits(c, limits, caller);
    const lease = limits.admit(caller.principal, caller.allowance);
    let finished: Promise<void> | undefined;
    try {
      const text = await readText(c.req.raw, bodyLimits, error);
      const json = parseBody(text, error);
      const body = parseShape(declared.schema, json, error);
      // The key may have been revoked while the body arrived.
      await authenticate.recheck(c);
      lease.reserve(() => estimateRequest(text, json, outputLimits));
      c.set("reserve", lease.reserve);
      const answer = await handler({ c, caller, params: NO_PARAMS, query: undefined, body, text, json });
      if (answer instanceof EventStreamResponse) finished = answer.stream.finished;
      return toResponse(answer);
    } finally {
      if (finished) void finished.then(lease.end);
      else lease.end();
    }
  };
}

type Entered = Pick<AnyRequest, "caller"> & Partial<Pick<AnyRequest, "body" | "json">>;

/** Returns a function that authenticates a request and, if the route has a body, reads it. */
function createEntrance(
  options: PipelineOptions,
  { access, body, limits: limited }: RouteDeclaration,
): (c: HttpContext) => Entered | Promise<Entered> {
  const { authenticate, limits } = options;
  const bytesMax = body?.bytesMax ?? ADMIN_BODY_BYTES_MAX;
  const reader = (c: HttpContext) => createReader(options, c, bytesMax, body && errorOf(body));
  switch (access) {
    case "caller":
      return async (c) => {
        const caller = await authenticate.caller(c);
        if (limited) showLimits(c, limits, caller);
        return { caller };
      };
    case "admin":
      return (c) => ({ caller: authenticate.admin(c) });
    case "adminOrQuery":
      return (c) => ({ caller: authenticate.admin(c, queryKeyOf(c)) });
    case "adminOrBody":
      return async (c) => {
        const { caller, json } = await authenticate.adminOrBody(c, reader(c));
        return { caller, json, body: body && parseShape(body.schema, json, errorOf(body)) };
      };
    case "signIn":
      return async (c) => ({ caller: await authenticate.signIn(c, reader(c)) });
    case "metrics":
      return (c) => {
        authenticate.metrics(c);
        return { caller: undefined };
      };
    // An agent shows its key when its socket is opened.
    case "none":
    case "agent":
    case "agentInPath":
      return () => ({ caller: undefined });
  }
}

/** Returns the `admin_key` of the query. Throws request_invalid if there are two different ones. */
function queryKeyOf(c: HttpContext): string | undefined {
  const [key, ...others] = new Set(c.req.queries("admin_key"));
  if (others.length === 0) return key;
  throw new AppError("request_invalid", { hint: "The query has two different admin keys. Send one." });
}

/** Returns a function that reads a body which may hold a key. Until that has proved right, it is a stranger's. */
function createReader(
  { bodyLimits, accessControl }: PipelineOptions,
  c: HttpContext,
  bytesMax: number,
  error: ErrorCode | undefined,
): (from: "caller" | "stranger") => Promise<string> {
  const limits = { ...bodyLimits, bodyBytesMax: Math.min(bodyLimits.bodyBytesMax, bytesMax) };
  const request = c.req.raw;
  return async (from) => {
    if (from === "caller") return readText(request, limits, error);
    const { headers } = request;
    const length = headers.has("content-encoding") ? null : headers.get("content-length");
    const bytes = Math.min(Number(length ?? Infinity), limits.bodyBytesMax);
    const { cut, leave } = accessControl.enterAsStranger(c.get("address"), bytes);
    try {
      return await readText(request, limits, error, cut);
    } finally {
      leave();
    }
  };
}

function errorOf({ error = "body_invalid" }: BodyDeclaration) {
  return error;
}

/** Returns the response for a handler's answer. Undefined means that the request has become a socket. */
function toResponse(answer: unknown): Response {
  if (answer instanceof Response) return answer;
  if (answer === undefined) return new Response(null);
  if (!(answer instanceof Reply)) return jsonResponse(answer);
  const response = jsonResponse(answer.body, answer.status);
  for (const [name, value] of Object.entries(answer.headers)) response.headers.set(name, value);
  return response;
}
