import { join } from "node:path";
import type { Server } from "bun";
import manifest from "../package.json" with { type: "json" };
import { type AgentSockets, createAgentSockets, type SocketData } from "./agents/sockets.ts";
import { createCallers } from "./auth/callers.ts";
import { readOrCreateKey } from "./auth/key-file.ts";
import { createResume } from "./auth/resume.ts";
import { loadSeal } from "./auth/seal.ts";
import { createSecret } from "./auth/secret.ts";
import { createUsers } from "./auth/users.ts";
import type { Config } from "./config.ts";
import { AppError, CommandError } from "./errors.ts";
import { createApp } from "./http/app.ts";
import { errorResponse } from "./http/error-response.ts";
import type { Log } from "./log.ts";
import type { Clock } from "./relay/ports.ts";
import type { AskRecord } from "./relay/record.ts";
import { Relay } from "./relay/relay.ts";
import { Threads } from "./relay/threads.ts";
import { openStore } from "./store/sqlite/open.ts";
import type { Store } from "./store/store.ts";

export interface RunningServer {
  /** The port taken, which is news where the setting was 0. */
  port: number;
  agentKey: string;
  /**
   * Refuses new asks, finishes what runs up to the drain limit, closes every socket and the store. Calling
   * it again waits for the first call.
   */
  stop(): Promise<void>;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How long a quiet HTTP connection is kept; one that waits for an answer is exempt. */
const IDLE_S = 60;

/** How long answers that are ready may take to reach slow callers once all else is done. */
const FLUSH_MS = 2_000;

/** Starts everything, or throws a `CommandError` that says in a line why it cannot. */
export async function startServer(config: Config, log: Log): Promise<RunningServer> {
  const store = openStore({
    path: join(config.data, "server.db"),
    onError: (error) => log.error("store_write_failed", { cause: String(error) }),
  });
  try {
    const stopPurge = await purgeOldConversations(store, config, log);
    const agentKey = config.agentKey ?? readOrCreateKey(join(config.data, "agent.key"));
    log.mask(agentKey);
    const clock = createClock();
    const relay = createRelay(config, clock, log);
    const sockets = createSockets(config, { relay, clock, log, agentKey });
    const server = listen(config, createFetch(config, { store, relay, sockets, log }), sockets);
    log.info("listening", { port: server.port ?? null, host: config.host ?? "*" });

    let stopping: Promise<void> | undefined;
    const stop = async () => {
      log.info("draining", { ...relay.stats(), timers: clock.pending() });
      sockets.announceDrain(server);
      await within(config.drainMs, relay.drain());
      relay.close();
      await within(FLUSH_MS, server.stop());
      await server.stop(true);
      stopPurge();
      await store.close();
      log.info("stopped", { ...relay.stats(), timers: clock.pending() });
    };
    return {
      port: server.port ?? config.port,
      agentKey,
      stop: () => {
        stopping ??= stop();
        return stopping;
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

function createRelay(config: Config, clock: Clock, log: Log): Relay {
  return new Relay({
    clock,
    newId: () => crypto.randomUUID(),
    limits: config,
    observe: {
      joined: ({ id, profile }) => log.info("agent_joined", { agent: id, address: profile.address }),
      left: ({ id, profile }, reason) =>
        log.info("agent_left", { agent: id, address: profile.address, reason: reason ?? "socket closed" }),
      ended: (record) => logAsk(log, record),
    },
  });
}

function logAsk(log: Log, record: AskRecord): void {
  const { origin, usage, queueMs, firstByteMs, durationMs, upstreamStatus, user, at: _, ...rest } = record;
  log.info("ask", {
    request_id: origin.requestId,
    surface: origin.surface,
    user: user || "admin",
    ...rest,
    status: upstreamStatus,
    queue_ms: queueMs,
    first_byte_ms: firstByteMs,
    ms: durationMs,
    prompt_tokens: usage?.prompt_tokens,
    completion_tokens: usage?.completion_tokens,
  });
}

function createSockets(
  config: Config,
  { relay, clock, log, agentKey }: { relay: Relay; clock: Clock; log: Log; agentKey: string },
): AgentSockets {
  const secret = createSecret(agentKey);
  return createAgentSockets({
    relay,
    clock,
    log,
    newId: () => crypto.randomUUID(),
    rules: {
      agents: config.agents,
      isAgentKey: (candidate) => secret.matches(candidate),
      keyAlways: config.agentKey !== undefined,
      origins: config.agentOrigins,
    },
    helloWithinMs: config.helloWithinMs,
    frameBytesMax: config.frameBytesMax,
    version: manifest.version,
    v1Model: config.v1Model,
    resume: createResume(agentKey),
  });
}

type Fetch = (request: Request, server: Server<SocketData>) => Response | Promise<Response>;

function createFetch(
  config: Config,
  { store, relay, sockets, log }: { store: Store; relay: Relay; sockets: AgentSockets; log: Log },
): Fetch {
  const seal = loadSeal({ sealKey: config.sealKey, path: join(config.data, "seal.key") });
  const callers = createCallers({ adminKey: createSecret(config.adminKey), users: store.users });
  const app = createApp({
    relay,
    conversations: store.conversations,
    callers,
    users: createUsers({ users: store.users, seal, onChange: () => callers.forget() }),
    log,
    newId: () => crypto.randomUUID(),
    now: () => Date.now(),
    threads: new Threads(),
    modelAliases: config.modelAliases ?? {},
    bodyBytesMax: config.bodyBytesMax,
    conversationLengthMax: config.conversationBytesMax,
    register: sockets.register,
  });
  return (request, server) => app.fetch(request, { server });
}

function listen(config: Config, fetch: Fetch, { websocket }: AgentSockets): Server<SocketData> {
  try {
    return Bun.serve({
      port: config.port,
      ...(config.host === undefined ? {} : { hostname: config.host }),
      development: false,
      idleTimeout: IDLE_S,
      // The routes refuse what is over the limit with an answer in their own shape.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      fetch,
      websocket,
      error: () => errorResponse(new AppError("internal"), "/", ""),
    });
  } catch (error) {
    const where = `${config.host ?? "any address"}, port ${config.port}`;
    const { code } = error as { code?: string };
    const why =
      code === "EADDRINUSE"
        ? "the port is in use: stop what uses it, or choose another"
        : `${code ?? (error as Error).message}`;
    throw new CommandError(`cannot listen on ${where}: ${why}`, { cause: error });
  }
}

/** Now and every hour. Gives what ends it. */
async function purgeOldConversations(store: Store, config: Config, log: Log): Promise<() => void> {
  const purge = async () => {
    try {
      const purged = await store.conversations.purge(Date.now() - config.conversationDays * DAY_MS);
      if (purged > 0) log.info("conversations_purged", { conversations: purged });
    } catch (error) {
      log.error("purge_failed", { cause: String(error) });
    }
  };
  await purge();
  const timer = setInterval(() => void purge(), HOUR_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** The system's clock; it counts what is scheduled, so that a leak of timers shows in the log. */
function createClock(): Clock & { pending(): number } {
  let pending = 0;
  return {
    now: () => Date.now(),
    pending: () => pending,
    after(delayMs, run) {
      let waiting = true;
      pending++;
      const end = () => {
        if (waiting) pending--;
        waiting = false;
      };
      const timer = setTimeout(() => {
        end();
        run();
      }, delayMs);
      return () => {
        clearTimeout(timer);
        end();
      };
    },
  };
}

/** Resolves when the work is done or the time is over, whichever is first. */
async function within(limitMs: number, work: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, limitMs);
  await Promise.race([work, promise]);
  clearTimeout(timer);
}
