import { existsSync } from "node:fs";
import manifest from "../../package.json" with { type: "json" };
import { createAgentKeys } from "../auth/agent-keys.ts";
import { readOrCreateKey } from "../auth/key-file.ts";
import { createLimits, type Limits, startOfDay } from "../auth/limits.ts";
import { createSecret } from "../auth/secret.ts";
import { createSessions } from "../auth/sessions.ts";
import { createSignInCode, NO_CODE, type UseCode } from "../auth/sign-in-code.ts";
import { watchUsers } from "../auth/user-watch.ts";
import { createBackups, type MakeBackup } from "../backup/download.ts";
import type { Clock } from "../clock.ts";
import type { Config, Origins } from "../config/read.ts";
import { agentKeyIn, databaseIn } from "../data-folder.ts";
import { AppError } from "../errors.ts";
import { errorResponse } from "../http/errors/response.ts";
import { createLiveFeed } from "../http/live/feed.ts";
import { createFigures, type Figures } from "../http/live/figures.ts";
import { IDLE_S } from "../http/middleware/request.ts";
import { createReadiness, type Readiness } from "../http/operations/readiness.ts";
import { causeOf, type Log } from "../log/log.ts";
import { createMetrics, type Metrics } from "../metrics/metrics.ts";
import { Relay } from "../relay/relay.ts";
import type { RelayObserver } from "../relay/types.ts";
import { openStore } from "../store/sqlite/open.ts";
import type { Store } from "../store/store.ts";
import { startUpkeep } from "../store/upkeep.ts";
import { createClock, every, within } from "../time.ts";
import { createSockets } from "./agents.ts";
import { createFetch } from "./fetch.ts";
import { createGate } from "./gate.ts";
import { type Listener, listen } from "./listener.ts";
import { createObserver } from "./observer.ts";
import { splitSockets } from "./sockets.ts";
import { createUsageCount } from "./usage-count.ts";

export interface RunningServer {
  /** The port taken, which is news where the setting was 0. */
  port: number;
  agentKey: string;
  /** Signs the administrator in, once, within an hour; undefined where the data folder had a database before. */
  signInCode: string | undefined;
  /** Reads the certificate's files again, for connections to come; the log says how that went. */
  reloadCertificate(): void;
  /**
   * Refuses new asks, finishes what runs up to the drain limit, closes every socket and the store. Calling
   * it again waits for the first call.
   */
  stop(): Promise<void>;
}

/** What only the command that starts the server knows. */
export interface ServerOptions {
  /** Where each setting comes from; without it they are told as defaults. */
  origins?: Origins;
  /** Without it no backup can be taken over HTTP. */
  makeBackup?: MakeBackup;
}

/** How long answers that are ready may take to reach slow callers once all else is done. */
const FLUSH_MS = 2_000;
const LIVE_EVERY_MS = 1_000;

/** Starts everything, or throws a `CommandError` that says in a line why it cannot. */
export async function startServer(
  config: Config,
  log: Log,
  options: ServerOptions = {},
): Promise<RunningServer> {
  const path = databaseIn(config.data);
  const isFirst = !existsSync(path);
  const store = openStore({
    path,
    mergesApart: true,
    onError: (error) => log.error("store_write_failed", { cause: causeOf(error) }),
  });
  try {
    return await startOn(store, isFirst, config, log, options);
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function startOn(
  store: Store,
  isFirst: boolean,
  config: Config,
  log: Log,
  options: ServerOptions,
): Promise<RunningServer> {
  const stopUpkeep = await keepUp(store, config, log);
  const limits = await startLimits(store);
  const agentKey = config.agentKey ?? readOrCreateKey(agentKeyIn(config.data));
  log.mask(agentKey);
  const { signInCode, useCode } = offerSignIn(isFirst, log);
  const clock = createClock();
  const metrics = startMetrics(() => ({ relay, server }));
  const count = createUsageCount(store.usage, limits);
  const figures = startFigures(store, () => ({ relay, readiness }));
  const relay = createRelay(config, clock, createObserver({ log, metrics, count, figures }));
  const readiness = watchReadiness(config, store, relay);
  const main = createSecret(agentKey);
  const onRevoke = (id: string) => sockets.endKey(id);
  const agentKeys = createAgentKeys({ main, store: store.agentKeys, onRevoke });
  const gate = createGate(config, log);
  const sockets = createSockets(config, { relay, clock, log, agentKey, agentKeys, gate });
  const sessions = createSessions({ lastsMs: config.sessionMs, port: () => server.port });
  const live = createLiveFeed({ figures, isAlive: sessions.isAlive, channel: () => server });
  const backups = createBackups({ data: config.data, make: options.makeBackup });
  const parts = { store, relay, sockets, agentKeys, limits, log, metrics, gate, readiness, sessions };
  const fetch = createFetch(config, {
    ...parts,
    figures,
    live,
    backups,
    useCode,
    origins: options.origins,
  });
  const server = listen({
    port: config.port,
    host: config.host,
    idleS: IDLE_S,
    certificate: certificateOf(config),
    fetch,
    log,
    websocket: splitSockets(sockets.websocket, live.websocket),
    onFault: () => errorResponse(new AppError("internal"), "/", ""),
  });
  const stopWatch = watchOpen(store, relay, log);
  const stopLive = every(LIVE_EVERY_MS, live.tick);
  log.info("listening", { port: server.port, host: config.host ?? "*" });

  const stop = async () => {
    log.info("draining", { ...relay.stats(), timers: clock.pending() });
    sockets.announceDrain(server);
    await within(clock, config.drainMs, relay.drain());
    for (const end of [stopLive, live.stop, backups.stop]) end();
    relay.close();
    await within(clock, FLUSH_MS, server.stop());
    await server.stop(true);
    for (const end of [sockets.stop, stopUpkeep, stopWatch, metrics.stop]) end();
    await store.close();
    log.info("stopped", { ...relay.stats(), timers: clock.pending() });
  };
  return {
    port: server.port,
    agentKey,
    signInCode,
    reloadCertificate: server.reloadCertificate,
    stop: once(stop),
  };
}

function once<Value>(run: () => Promise<Value>): () => Promise<Value> {
  let running: Promise<Value> | undefined;
  return () => {
    running ??= run();
    return running;
  };
}

function startFigures({ users }: Store, parts: () => { relay: Relay; readiness: Readiness }): Figures {
  return createFigures({
    users,
    relay: () => parts().relay,
    readiness: () => parts().readiness,
    version: manifest.version,
    now: () => Date.now(),
    elapsedMs: () => performance.now(),
  });
}

function watchReadiness({ queueMax }: Config, { check }: Store, relay: Relay): Readiness {
  return createReadiness({ relay, checkStore: check, queueMax, now: () => Date.now() });
}

function offerSignIn(isFirst: boolean, log: Log): { signInCode: string | undefined; useCode: UseCode } {
  if (!isFirst) return { signInCode: undefined, useCode: NO_CODE };
  const { text, use } = createSignInCode();
  log.mask(text);
  return { signInCode: text, useCode: use };
}

/** Gives what ends it. */
function watchOpen({ users }: Store, relay: Relay, log: Log): () => void {
  return watchUsers({
    users,
    open: () => relay.openUsers(),
    revoke: (user) => relay.cancelUser(user),
    onError: (error) => log.error("users_unreadable", { cause: causeOf(error) }),
  });
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

function createRelay(config: Config, clock: Clock, observe: RelayObserver): Relay {
  return new Relay({ clock, newId: () => crypto.randomUUID(), limits: config, observe });
}

function certificateOf({ tlsCert, tlsKey }: Config) {
  return tlsCert !== undefined && tlsKey !== undefined ? { cert: tlsCert, key: tlsKey } : undefined;
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
