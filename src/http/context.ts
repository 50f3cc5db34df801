import type { Server } from "bun";
import type { Context } from "hono";
import type { Callers } from "../auth/callers.ts";
import type { Users } from "../auth/users.ts";
import type { Log } from "../log.ts";
import type { AskContext, Asker } from "../relay/ask-conversation.ts";
import type { Conversations } from "../relay/ports.ts";
import type { Relay } from "../relay/relay.ts";
import type { Threads } from "../relay/threads.ts";

/** What the routes are given. */
export interface HttpDeps {
  relay: Relay;
  conversations: Conversations;
  callers: Callers;
  users: Users;
  log: Log;
  newId: () => string;
  /** Milliseconds since 1970. */
  now: () => number;
  threads: Threads;
  /** Other names for models. */
  modelAliases: Readonly<Record<string, string>>;
  bodyBytesMax: number;
  conversationLengthMax: number;
  /** Upgrades a request to register an agent, or throws an `AppError`. */
  register(request: Request, server: BunServer, pathKey: string | undefined): void;
}

// biome-ignore lint/suspicious/noExplicitAny: the routes pass the server on and never look at its sockets' data.
export type BunServer = Server<any>;

export type HttpEnv = {
  Bindings: { server: BunServer };
  Variables: {
    requestId: string;
    /** The request has become a socket, and the answer is the runtime's. */
    upgraded: boolean;
    /** For the log line: who asked and who answered. */
    user: string;
    agent: string;
    model: string;
    promptTokens: number;
    completionTokens: number;
    error: string;
  };
};

export type HttpContext = Context<HttpEnv>;

/** The caller, with what those who count and log want to know of the request. */
export function asContext(c: HttpContext, caller: Asker, surface: string): AskContext {
  const { user, admin } = caller;
  return { user, admin, origin: { requestId: c.get("requestId"), surface } };
}

export function json(value: unknown): Response {
  return new Response(JSON.stringify(value), {
    headers: { "content-type": "application/json; charset=utf-8" },
  });
}
