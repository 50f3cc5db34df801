import type { Server } from "bun";
import type { Context } from "hono";
import type { Caller } from "../auth/callers.ts";
import type { Principal } from "../principal.ts";
import type { AskContext, Asker } from "../relay/conversation.ts";
import { narrowPolicy } from "./middleware/ask-policy.ts";
import { commonHeaders } from "./middleware/headers.ts";
import { AskProgress } from "./middleware/sent-headers.ts";
import type { Trace } from "./middleware/trace.ts";

// biome-ignore lint/suspicious/noExplicitAny: routes never read the data of the server's sockets.
export type BunServer = Server<any>;

export type HttpEnv = {
  Bindings: { server: BunServer };
  Variables: {
    requestId: string;
    /** The caller's address, as far as proxies are trusted; undefined if it is not known. */
    address: string | undefined;
    /**
     * Counts the request against the share of its address. To be called once its key has proved right, and
     * only then. May be called again. Throws address_busy.
     */
    countCaller: () => void;
    /** The trace that the caller sent. */
    trace: Trace | undefined;
    /** The request has become a socket, and its response is the runtime's. */
    upgraded: boolean;
    /** For the log: who makes the request, which agent answers, and so on. */
    principal: Principal;
    agent: string;
    model: string;
    inputTokens: number;
    outputTokens: number;
    error: string;
    /** Reserves tokens for what the server adds to the request. Throws limit_tokens. */
    reserve: AskContext["reserve"];
    /** Tells the caller where their ask is. */
    progress: AskProgress;
    /** Sets the headers that tell what is left of the user's limits. */
    showLimits: (headers: Headers) => void;
  };
};

export type HttpContext = Context<HttpEnv>;

/**
 * Returns who asks and by which request, for counting, logging and tracing, and how the ask is treated. Throws
 * `request_invalid` if the request has a header about that which is not valid.
 */
export function askContext(c: HttpContext, caller: Caller, surface: string): AskContext {
  const { principal, tokenHash } = caller;
  const trace = c.get("trace");
  const passed = trace && { traceparent: trace.traceparent, tracestate: trace.tracestate };
  const origin = { requestId: c.get("requestId"), surface, ...passed };
  const policy = narrowPolicy(askPolicyOf(caller), c.req.raw.headers);
  const progress = new AskProgress();
  c.set("progress", progress);
  const { onSent, onWaiting } = progress;
  return { principal, tokenHash, origin, reserve: c.get("reserve"), ...policy, onSent, onWaiting };
}

/** Returns what is set for a user about the turns of their asks, and about the agents that may do them. */
export function askPolicyOf({ allowance }: Pick<Caller, "allowance">): Pick<Asker, "priority" | "tags"> {
  const tags = allowance?.agentTags;
  return { priority: allowance?.priority ?? undefined, tags: tags ? [tags] : undefined };
}

/** The headers of a JSON response. Copy them to add others. */
export const JSON_HEADERS = commonHeaders({ "content-type": "application/json; charset=utf-8" });

export function json(value: unknown, status = 200): Response {
  return new Response(JSON.stringify(value), { status, headers: JSON_HEADERS });
}
