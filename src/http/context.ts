import type { Server } from "bun";
import type { Context } from "hono";
import type { Callers } from "../auth/callers.ts";
import type { Limits } from "../auth/limits.ts";
import type { Log } from "../log/log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Principal } from "../principal.ts";
import type { AskContext, Asker } from "../relay/conversation.ts";
import type { Conversations } from "../relay/conversations.ts";

import type { Relay } from "../relay/relay.ts";
import type { AccessControl } from "./middleware/access.ts";
import { commonHeaders } from "./middleware/headers.ts";
import type { Trace } from "./middleware/trace.ts";
import type { Threads } from "./models/v1-threads.ts";

/** What the routes need that are not declared with `route` yet. */
export interface HttpDeps {
  relay: Relay;
  conversations: Conversations;
  callers: Callers;
  limits: Limits;
  log: Log;
  metrics: Metrics;
  newId: () => string;
  newConversationId: () => string;
  /** Milliseconds since 1970. */
  now: () => number;
  threads: Threads;
  /** Other names for models. */
  modelAliases: Readonly<Record<string, string>>;
  bodyBytesMax: number;
  /** How long a body may take. */
  bodyWithinMs: number;
  accessControl: AccessControl;
  conversationLengthMax: number;
}

// biome-ignore lint/suspicious/noExplicitAny: the routes pass the server on and never look at its sockets' data.
export type BunServer = Server<any>;

export type HttpEnv = {
  Bindings: { server: BunServer };
  Variables: {
    requestId: string;
    /** Where the caller is, as far as proxies are believed; undefined where that is not known. */
    address: string | undefined;
    /** Where the caller sent one. */
    trace: Trace | undefined;
    /** The request has become a socket, and the answer is the runtime's. */
    upgraded: boolean;
    /** For the log line: who asked and who answered. */
    principal: Principal;
    agent: string;
    model: string;
    promptTokens: number;
    completionTokens: number;
    error: string;
    /** Sets the headers that tell a user how he stands with his limits. */
    showLimits: (headers: Headers) => void;
  };
};

export type HttpContext = Context<HttpEnv>;

/** The caller, with what those who count and log want to know of the request. */
export function asContext(c: HttpContext, caller: Asker, surface: string): AskContext {
  const { principal } = caller;
  const trace = c.get("trace");
  const passed = trace && { traceparent: trace.traceparent, tracestate: trace.tracestate };
  return { principal, origin: { requestId: c.get("requestId"), surface, ...passed } };
}

/** Of an answer in JSON. To be copied by what adds to them. */
export const JSON_HEADERS = commonHeaders({ "content-type": "application/json; charset=utf-8" });

export function json(value: unknown, status = 200): Response {
  return new Response(JSON.stringify(value), { status, headers: JSON_HEADERS });
}
