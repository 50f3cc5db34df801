import { getQueryParam, getQueryParams } from "hono/utils/url";
import type { Caller } from "../auth/callers.ts";
import type { Lease, Limits } from "../auth/limits/limits.ts";
import { AppError, type ErrorCode } from "../errors.ts";
import { Spool } from "../spool.ts";
import type { Authenticate } from "./authenticate.ts";
import type { Exchange } from "./exchange.ts";
import type { AccessControl } from "./middleware/access.ts";
import { type BodyLimits, parseBody, parseShape, readText } from "./middleware/body.ts";
import { BodyPlace, BodyRoom, defaultRoomBytes } from "./middleware/body-room.ts";
import { JSON_HEADERS } from "./middleware/headers.ts";
import { estimateRequest } from "./middleware/request-tokens.ts";
import type { Serve } from "./middleware/respond.ts";
import { StreamedResponse } from "./middleware/streamed-response.ts";
import { pricerOf, type ReservationDeps } from "./reservation.ts";
import {
  type Access,
  type AnyRequest,
  type BodyDeclaration,
  type BoundRoute,
  Reply,
  type RouteDeclaration,
} from "./route.ts";
import { receiveForm, type UploadLimits } from "./uploads/receive-form.ts";

export interface PipelineOptions extends ReservationDeps {
  authenticate: Authenticate;
  limits: Limits;
  bodyLimits: BodyLimits & UploadLimits & { bodiesBytesMax: number | undefined; uploadsBytesMax: number };
  accessControl: Pick<AccessControl, "enterAsStranger">;
}

/**
 * Bounds the body of an administrator's request. It is read before its key can be checked, so anybody may
 * send one.
 */
const ADMIN_BODY_BYTES_MAX = 2 * 1024 * 1024;

/** The kinds of access of routes whose body is read, besides those with limits. */
const BODY_READERS: ReadonlySet<Access> = new Set<Access>(["caller", "adminOrBody", "signIn", "code"]);

/** Returns a function that serves a route: it authenticates, checks query and body, and calls the handler. */
export function createPipeline(options: PipelineOptions): (bound: BoundRoute) => Serve {
  const { bodiesBytesMax = defaultRoomBytes(), uploadsBytesMax } = options.bodyLimits;
  const room = new BodyRoom(bodiesBytesMax);
  const uploadRoom = new BodyRoom(uploadsBytesMax, "--uploads-max");
  return (bound) => {
    const { limits, body, access, path } = bound.route;
    if (limits === "admit") return serveAdmitted(options, body?.isForm ? uploadRoom : room, bound);
    if (body && !BODY_READERS.has(access)) throw new Error(`${path}: nothing reads the declared body`);
    return serve(options, bound);
  };
}

function serve(options: PipelineOptions, { route, handler }: BoundRoute): Serve {
  const enter = createEntrance(options, route);
  return async (exchange) => {
    const entering = enter(exchange);
    const { caller, body, json } = entering instanceof Promise ? await entering : entering;
    const { request, params } = exchange;
    const query =
      route.query && parseShape(route.query, queryOf(request.url, route.query), "request_invalid");
    const answer = await handler({ exchange, caller, params, query, body, text: "", json });
    exchange.isUpgraded = answer === undefined;
    return toResponse(answer);
  };
}

/** Returns the values of a query. A list is sent as `name[]=one&name[]=other`, as OpenAI's packages do. */
function queryOf(url: string, { shape }: { shape: object }): Record<string, string | string[]> {
  // Without a name they return the values of all.
  const query = getQueryParam(url) as Record<string, string | string[]>;
  for (const name of Object.keys(query)) {
    const plain = name.endsWith("[]") ? name.slice(0, -2) : "";
    if (Object.hasOwn(shape, plain)) query[plain] = (getQueryParams(url, name) as string[] | undefined) ?? [];
  }
  return query;
}

/** A form is not read for its tokens, but takes time. */
const NO_TOKENS = { input: 0, output: 0 };

/** The parts of the limits that a request has until it has ended. */
interface Held {
  lease: Lease;
  place: BodyPlace;
  /** The body of a request whose route takes a form. */
  spool: Spool | undefined;
}

/**
 * Serves a request that counts against its user's limits. It is admitted before its body is read, so a user
 * above their limits costs next to nothing, and a request that then proves faulty counts too. The tokens that
 * it may need are known, and reserved, only when its body is read.
 *
 * Its lease, and its place in the room for bodies, end with the handler or, if that answers with a stream or lets the
 * ask go on in the background, when the ask has ended.
 */
function serveAdmitted(options: PipelineOptions, room: BodyRoom, { route, handler }: BoundRoute): Serve {
  const { authenticate, limits, bodyLimits } = options;
  const { body: declared, outputLimits } = route;
  if (!declared) throw new Error(`${route.path}: a route with limits has a body`);
  const error = errorOf(declared);
  const read = async (
    exchange: Exchange,
    caller: Caller,
    { lease, place, spool }: Held,
  ): Promise<AnyRequest> => {
    const form = spool && (await receiveForm(exchange, bodyLimits, { spool, place }));
    if (form) {
      if (!authenticate.isCurrent(caller)) await authenticate.caller(exchange);
      const priced = pricerOf(options, { caller, url: exchange.request.url, json: {}, form });
      await lease.reserve(() => priced(NO_TOKENS));
      return {
        exchange,
        caller,
        params: exchange.params,
        query: undefined,
        body: {},
        text: "{}",
        json: {},
        form,
      };
    }
    const text = await readText(exchange, bodyLimits, error, { place });
    const json = parseBody(text, error);
    const body = declared.plain?.(json) ?? parseShape(declared.schema, json, error);
    // The key may have been revoked while the body arrived.
    if (!authenticate.isCurrent(caller)) await authenticate.caller(exchange);
    const priced = pricerOf(options, { caller, url: exchange.request.url, json });
    exchange.reserve = reserveMore(lease, priced);
    const reserving = lease.reserve(() => priced(estimateRequest(text, json, outputLimits)));
    if (reserving instanceof Promise) await reserving;
    return { exchange, caller, params: exchange.params, query: undefined, body, text, json };
  };
  return async (exchange) => {
    const known = authenticate.caller(exchange);
    const caller = known instanceof Promise ? await known : known;
    exchange.limited = caller;
    const admitting = limits.admit(caller.principal, caller.allowance);
    const lease = admitting instanceof Promise ? await admitting : admitting;
    const place = new BodyPlace(room, caller.principal);
    const spool = declared.isForm && new Spool(bodyLimits.uploadFolder);
    const end = () => {
      lease.end();
      place.leave();
      void spool?.close();
    };
    let finished: Promise<void> | undefined;
    try {
      // No variable here has the body, as the runtime would keep it for as long as the agent works.
      const answer = await handler(await read(exchange, caller, { lease, place, spool }));
      if (exchange.detached) finished = exchange.detached;
      else if (answer instanceof StreamedResponse) finished = answer.stream.finished;
      return toResponse(answer);
    } finally {
      if (finished) void finished.then(end);
      else end();
    }
  };
}

/** Returns a function that reserves input tokens besides. */
const reserveMore =
  (lease: Lease, priced: ReturnType<typeof pricerOf>): Exchange["reserve"] =>
  (estimate) =>
    lease.reserve(() => priced({ input: estimate(), output: 0 }));

type Entered = Pick<AnyRequest, "caller"> & Partial<Pick<AnyRequest, "body" | "json">>;

/** Returns a function that authenticates a request and, if the route has a body, reads it. */
function createEntrance(
  options: PipelineOptions,
  { access, body, limits: limited }: RouteDeclaration,
): (exchange: Exchange) => Entered | Promise<Entered> {
  const { authenticate, limits } = options;
  const bytesMax = body?.bytesMax ?? ADMIN_BODY_BYTES_MAX;
  const reader = (exchange: Exchange) => createReader(options, exchange, bytesMax, body && errorOf(body));
  switch (access) {
    case "caller":
      return async (exchange) => {
        const caller = await authenticate.caller(exchange);
        if (limited) exchange.limited = caller;
        const { principal, allowance } = caller;
        if (limited && principal.kind === "user" && allowance)
          await limits.refresh?.(principal.id, allowance);
        if (!body) return { caller };
        const text = await reader(exchange)("caller");
        const json = text === "" && body.isRequired === false ? {} : parseBody(text, errorOf(body));
        return { caller, json, body: parseShape(body.schema, json, errorOf(body)) };
      };
    case "admin":
      return async (exchange) => ({ caller: await authenticate.admin(exchange) });
    case "adminOrQuery":
      return async (exchange) => ({ caller: await authenticate.admin(exchange, queryKeyOf(exchange)) });
    case "adminOrBody":
      return async (exchange) => {
        const { caller, json } = await authenticate.adminOrBody(exchange, reader(exchange));
        return { caller, json, body: body && parseShape(body.schema, json, errorOf(body)) };
      };
    case "signIn":
      return async (exchange) => ({ caller: await authenticate.signIn(exchange, reader(exchange)) });
    case "code":
      return async (exchange) => {
        const json = parseBody(await reader(exchange)("stranger"), "body_invalid");
        return { caller: undefined, json, body: body && parseShape(body.schema, json, errorOf(body)) };
      };
    case "metrics":
      return (exchange) => {
        authenticate.metrics(exchange);
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
function queryKeyOf({ request }: Exchange): string | undefined {
  // With a name, it returns a list.
  const keys = getQueryParams(request.url, "admin_key") as string[] | undefined;
  const [key, ...others] = new Set(keys);
  if (others.length === 0) return key;
  throw new AppError("request_invalid", { hint: "The query has two different admin keys. Send one." });
}

/** Returns a function that reads a body which may hold a key. Until that has proved right, it is a stranger's. */
function createReader(
  { bodyLimits, accessControl }: PipelineOptions,
  exchange: Exchange,
  bytesMax: number,
  error: ErrorCode | undefined,
): (from: "caller" | "stranger") => Promise<string> {
  const limits = { ...bodyLimits, bodyBytesMax: Math.min(bodyLimits.bodyBytesMax, bytesMax) };
  return async (from) => {
    if (from === "caller") return readText(exchange, limits, error);
    const { headers } = exchange.request;
    const length = headers.has("content-encoding") ? null : headers.get("content-length");
    const bytes = Math.min(Number(length ?? Infinity), limits.bodyBytesMax);
    const { cut, leave } = accessControl.enterAsStranger(exchange.address, bytes);
    try {
      return await readText(exchange, limits, error, { stranger: cut });
    } finally {
      leave();
    }
  };
}

function errorOf({ error = "body_invalid" }: BodyDeclaration) {
  return error;
}

function jsonResponse(value: unknown, status = 200): Response {
  return new Response(JSON.stringify(value), { status, headers: JSON_HEADERS });
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
