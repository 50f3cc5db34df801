import { hostname } from "node:os";
import { join } from "node:path";
import type { Server } from "bun";
import manifest from "../package.json" with { type: "json" };
import { type AgentSockets, createAgentSockets, type SocketData } from "./agents/sockets.ts";
import { type AgentKeys, createAgentKeys } from "./auth/agent-keys.ts";
import { createAudit } from "./auth/audit.ts";
import { createCallers } from "./auth/callers.ts";
import { createFailedKeys } from "./auth/failed-keys.ts";
import { createOwnHosts } from "./auth/host.ts";
import { readOrCreateKey } from "./auth/key-file.ts";
import { createLimits, type Limits, startOfDay } from "./auth/limits.ts";
import { createOccupancy } from "./auth/occupancy.ts";
import { createResume } from "./auth/resume.ts";
import { loadSeal } from "./auth/seal.ts";
import { createSecret } from "./auth/secret.ts";
import { watchUsers } from "./auth/user-watch.ts";
import { createUsers } from "./auth/users.ts";
import type { Config } from "./config.ts";
import { AppError } from "./errors.ts";
import { type ClientAddresses, createClientAddresses } from "./http/address.ts";
import { createApp } from "./http/app.ts";
import { type Border, createBorder } from "./http/border.ts";
import { IDLE_S } from "./http/envelope.ts";
import { errorResponse } from "./http/error-response.ts";
import { createObserver, type Observer } from "./http/observe.ts";
import { createReadiness } from "./http/readiness.ts";
import { createUsageCount } from "./http/usage/count.ts";
import { type Listener, listen } from "./listen/listener.ts";
import { causeOf, type Log } from "./log.ts";
import { createMetrics, type Metrics } from "./metrics/metrics.ts";
import type { Clock } from "./relay/ports.ts";
import { Relay } from "./relay/relay.ts";
import { Threads } from "./relay/threads.ts";
import { openStore } from "./store/sqlite/open.ts";
import type { Store } from "./store/store.ts";
import { startUpkeep } from "./store/upkeep.ts";

export interface RunningServer {
  /** The port taken, which is news where the setting was 0. */
  port: number;
  agentKey: string;
  /** Reads the certificate's files again, for connections to come; the log says how that went. */
  reloadCertificate(): void;
  /**
   * Refuses new asks, finishes what runs up to the drain limit, closes every socket and the store. Calling
   * it again waits for the first call.
   */
  stop(): Promise<void>;
}

/** How long answers that are ready may take to reach slow callers once all else is done. */
const FLUSH_MS = 2_000;

/** Starts everything, or throws a `CommandError` that says in a line why it cannot. */
export async function startServer(config: Config, log: Log): Promise<RunningServer> {
  const store = openStore({
    path: join(config.data, "server.db"),
    onError: (error) => log.error("store_write_failed", { cause: causeOf(error) }),
  });
  try {
    const stopUpkeep = await keepUp(store, config, log);
    const limits = await startLimits(store);
    const agentKey = config.agentKey ?? readOrCreateKey(join(config.data, "agent.key"));
    log.mask(agentKey);
    const clock = createClock();
    const metrics = startMetrics(() => ({ relay, server }));
    const count = createUsageCount(store.usage, limits);
    const relay = createRelay(config, clock, createObserver({ log, metrics, count }));
    const agentKeys = createAgentKeys({
      main: createSecret(agentKey),
      store: store.agentKeys,
      onRevoke: (id) => sockets.endKey(id),
    });
    const gate = createGate(config, log);
    const sockets = createSockets(config, { relay, clock, log, agentKey, agentKeys, gate });
    const { border } = gate;
    const server = listen({
      port: config.port,
      host: config.host,
      idleS: IDLE_S,
      certificate: certificateOf(config),
      fetch: createFetch(config, { store, relay, sockets, agentKeys, limits, log, metrics, border }),
      websocket: sockets.websocket,
      onFault: () => errorResponse(new AppError("internal"), "/", ""),
      log,
    });
    const stopWatch = watchUsers({
      users: store.users,
      open: () => relay.openUsers(),
      revoke: (user) => relay.cancelUser(user),
      onError: (error) => log.error("users_unreadable", { cause: causeOf(error) }),
    });
    log.info("listening", { port: server.port, host: config.host ?? "*" });

    let stopping: Promise<void> | undefined;
    const stop = async () => {
      log.info("draining", { ...relay.stats(), timers: clock.pending() });
      sockets.announceDrain(server);
      await within(config.drainMs, relay.drain());
      relay.close();
      await within(FLUSH_MS, server.stop());
      await server.stop(true);
      sockets.stop();
      stopUpkeep();
      stopWatch();
      metrics.stop();
      await store.close();
      log.info("stopped", { ...relay.stats(), timers: clock.pending() });
    };
    return {
      port: server.port,
      agentKey,
      reloadCertificate: server.reloadCertificate,
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

/** The day's tokens are those of before the start too. */
async function startLimits({ usage }: Store): Promise<Limits> {
  const usedToday = await usage.tokensSince(startOfDay(Date.now()));
  return createLimits({ now: () => Date.now(), elapsedMs: () => performance.now(), usedToday });
}

/** The parts are made after it, as they tell it what they do. */
function startMetrics(parts: () => { relay: Relay; server: Listener }): Metrics {
  return createMetrics({
    version: manifest.version,
    relay: () => parts().relay,
    knowsModel: (model) => parts().relay.knowsModel(model),
    server: () => ({
      requests: parts().server.pendingRequests,
      sockets: parts().server.pendingWebSockets,
    }),
  });
}

function createRelay(config: Config, clock: Clock, observe: Observer): Relay {
  return new Relay({ clock, newId: () => crypto.randomUUID(), limits: config, observe });
}

interface SocketParts {
  relay: Relay;
  clock: Clock;
  log: Log;
  agentKey: string;
  agentKeys: AgentKeys;
  gate: Gate;
}

function createSockets(
  config: Config,
  { relay, clock, log, agentKey, agentKeys, gate }: SocketParts,
): AgentSockets {
  return createAgentSockets({
    relay,
    clock,
    log,
    newId: () => crypto.randomUUID(),
    rules: {
      agents: config.agents,
      keyAlways: config.agentKey !== undefined,
      origins: config.agentOrigins,
      isOwnHost: gate.isOwnHost,
    },
    addressOf: gate.addressOf,
    socketsMax: config.agentsMax,
    keys: agentKeys,
    helloWithinMs: config.helloWithinMs,
    frameBytesMax: config.frameBytesMax,
    version: manifest.version,
    v1Model: config.v1Model,
    resume: createResume(agentKey),
  });
}

interface Gate {
  border: Border;
  addressOf: ClientAddresses;
  isOwnHost: (header: string) => boolean;
}

/** What stands between the world and the routes. */
function createGate(config: Config, log: Log): Gate {
  const addressOf = createClientAddresses(config.trustProxy);
  const isOwnHost = createOwnHosts([
    hostname(),
    ...(config.host ? [config.host] : []),
    ...config.allowedHosts,
  ]);
  const border = createBorder({
    addresses: addressOf,
    isOwnHost,
    failedKeys: createFailedKeys({ max: config.keyFailuresMax, elapsedMs: () => performance.now() }),
    requests: createOccupancy({ addressMax: config.addressRequestsMax }),
    log,
  });
  return { border, addressOf, isOwnHost };
}

function certificateOf({ tlsCert, tlsKey }: Config) {
  return tlsCert !== undefined && tlsKey !== undefined ? { cert: tlsCert, key: tlsKey } : undefined;
}

type Fetch = (request: Request, server: Server<SocketData>) => Response | Promise<Response>;

interface FetchParts {
  store: Store;
  relay: Relay;
  sockets: AgentSockets;
  agentKeys: AgentKeys;
  limits: Limits;
  log: Log;
  metrics: Metrics;
  border: Border;
}

function createFetch(config: Config, parts: FetchParts): Fetch {
  const { store, relay, sockets, agentKeys, limits, log, metrics, border } = parts;
  const seal = loadSeal({ sealKey: config.sealKey, path: join(config.data, "seal.key") });
  const callers = createCallers({ adminKey: createSecret(config.adminKey), users: store.users });
  const app = createApp({
    relay,
    conversations: store.conversations,
    callers,
    users: createUsers({
      users: store.users,
      seal,
      onChange: ({ user, revoked }) => {
        callers.forget();
        if (revoked) relay.cancelUser(user);
      },
    }),
    audit: createAudit({ audit: store.audit }),
    agentKeys,
    limits,
    usage: store.usage,
    log,
    metrics,
    metricsKey: config.metricsKey === undefined ? undefined : createSecret(config.metricsKey),
    readiness: createReadiness({
      relay,
      checkStore: store.check,
      queueMax: config.queueMax,
      now: () => Date.now(),
    }),
    newId: () => crypto.randomUUID(),
    now: () => Date.now(),
    threads: new Threads(),
    modelAliases: config.modelAliases ?? {},
    border,
    bodyBytesMax: config.bodyBytesMax,
    bodyWithinMs: config.bodyWithinMs,
    conversationLengthMax: config.conversationBytesMax,
    register: sockets.register,
    version: manifest.version,
  });
  return (request, server) => app.fetch(request, { server });
}

/** Gives what ends it. */
function keepUp(store: Store, config: Config, log: Log): Promise<() => void> {
  const { conversationDays, usageDays, auditDays } = config;
  return startUpkeep({
    store,
    days: { conversations: conversationDays, usage: usageDays, audit: auditDays },
    purged: (what, count) => log.info(`${what}_purged`, { [what]: count }),
    compacted: (bytes) => log.info("store_compacted", { bytes }),
    failed: (error) => log.error("purge_failed", { cause: causeOf(error) }),
  });
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
