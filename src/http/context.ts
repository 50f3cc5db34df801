import type { Server } from "bun";
import type { Context } from "hono";
import type { AgentKeys } from "../auth/agent-keys.ts";
import type { Audit } from "../auth/audit.ts";
import type { Callers } from "../auth/callers.ts";
import type { Limits } from "../auth/limits.ts";
import type { Secret } from "../auth/secret.ts";
import type { Sessions } from "../auth/sessions.ts";
import type { UseCode } from "../auth/sign-in-code.ts";
import type { Users } from "../auth/users.ts";
import type { Log } from "../log/log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Principal } from "../principal.ts";
import type { AskContext, Asker } from "../relay/conversation.ts";
import type { Conversations } from "../relay/conversations.ts";

import type { Relay } from "../relay/relay.ts";
import type { UsageStore } from "../store/store.ts";
import type { SettingsAnswer } from "./admin/server-schema.ts";
import type { LiveFeed } from "./live/feed.ts";
import type { Figures } from "./live/figures.ts";
import type { Border } from "./middleware/access.ts";
import { commonHeaders } from "./middleware/headers.ts";
import type { Trace } from "./middleware/trace.ts";
import type { Threads } from "./models/v1-threads.ts";
import type { DashboardFiles } from "./operations/dashboard.ts";
import type { Readiness } from "./operations/readiness.ts";

/** What the routes are given. */
export interface HttpDeps {
  relay: Relay;
  conversations: Conversations;
  callers: Callers;
  users: Users;
  limits: Limits;
  usage: UsageStore;
  /** Every change that an administrator makes goes through it. */
  audit: Audit;
  log: Log;
  metrics: Metrics;
  /** Opens nothing but the figures. */
  metricsKey: Secret | undefined;
  readiness: Readiness;
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
  border: Border;
  conversationLengthMax: number;
  /** Upgrades a request to register an agent, or throws an `AppError`. */
  register(request: Request, server: BunServer, pathKey: string | undefined): Promise<void>;
  agentKeys: AgentKeys;
  sessions: Sessions;
  /** Of the link for the first sign-in. */
  useCode: UseCode;
  /** Whether the caller came by TLS, as far as proxies are believed. */
  isSecure(request: Request, server: BunServer): boolean;
  figures: Figures;
  live: Pick<LiveFeed, "upgrade">;
  settings: SettingsAnswer["settings"];
  /**
   * The archive of a backup, which is gone when it was read, or nobody reads it any more. Throws an `AppError`:
   * backup_busy, backup_failed.
   */
  takeBackup(signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  dashboard: DashboardFiles;
  /** The server's. */
  version: string;
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
