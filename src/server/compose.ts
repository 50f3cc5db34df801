import type { DomainCertificate } from "../acme/domain-certificate.ts";
import { type AgentSockets, createAgentSockets } from "../agents/sockets.ts";
import { createResume } from "../auth/resume.ts";
import { watchUsers } from "../auth/user-watch.ts";
import { createBackups, type MakeBackup } from "../backup/download.ts";
import type { Config, Origins } from "../config/settings.ts";
import { AppError } from "../errors.ts";
import { problemAnswers } from "../http/alerts/answers.ts";
import { createApp } from "../http/app.ts";
import { referenceStyle } from "../http/errors/reference.ts";
import { errorResponse } from "../http/errors/response.ts";
import { createLiveFeed, type LiveFeed } from "../http/live/feed.ts";
import { mayStillUse } from "../http/models/names/allowed-models.ts";
import { causeOf, type Log } from "../log/log.ts";
import { once } from "../once.ts";
import type { PriceBook } from "../prices/price-book.ts";
import type { LinkAgent } from "../protocol/agent-link.ts";
import { startUpkeep } from "../store/upkeep.ts";
import { type CountingClock, createClock, every, within } from "../time.ts";
import { appDeps, IDLE_CONNECTION_S } from "./app-deps.ts";
import { certificateFilesOf, openOwnCertificate } from "./certificate.ts";
import type { Cluster } from "./cluster.ts";
import { type Core, type CoreParts, createCore, newId, now, version } from "./core.ts";
import { watchFileLimit } from "./file-limit.ts";
import { type Access, createAccess, createIdentities, type Identities } from "./identities.ts";
import { checkHost } from "./listen-error.ts";
import { type Listener, listen } from "./listener.ts";
import { openData } from "./open-data.ts";
import { openSettings, type ServerSettings } from "./settings.ts";
import { closeAgents, finishAsks } from "./shutdown.ts";
import { splitSockets } from "./sockets.ts";
import { warnOfClock, warnOfLostSeal } from "./start-checks.ts";

export interface RunningServer {
  /** The port it listens on, which the runtime chose if the setting was 0. */
  port: number;
  agentKey: string;
  /** Signs the administrator in once, within an hour. Undefined if a server has started on the data before. */
  signInCode: string | undefined;
  /** Links the agent inside this process, which has the agent key. */
  linkAgent: LinkAgent;
  /** Reads the certificate's files again, for new connections. The log says whether that worked. */
  reloadCertificate(): void;
  /**
   * Refuses new requests, finishes running ones up to the drain limit, then closes everything. A second call
   * waits for the first.
   */
  stop(): Promise<void>;
}

/** Values that only the command that starts the server knows. */
export interface ServerOptions {
  /** The source of each setting. If left out, all are shown as defaults. */
  origins?: Origins;
  /** If left out, no backup can be taken over HTTP. */
  makeBackup?: MakeBackup;
  /** Ends a start that waits for its first certificate. */
  stopping?: AbortSignal;
  /** The system's clock by default. */
  clock?: CountingClock;
}

/** The time in which finished answers must reach slow callers, once everything else has stopped. */
const FLUSH_MS = 2_000;
const LIVE_EVERY_MS = 1_000;
/** Responses that were stored before `--responses-days` was taken away stay for this long. */
const LEFT_RESPONSES_DAYS = 30;

/** Starts everything, or throws a `CommandError` that says in one line why it cannot. */
export async function startServer(config: Config, log: Log, options: ServerOptions = {}) {
  const { store, isFirst, noteStarted } = await openData(config, log);
  const clock = options.clock ?? createClock();
  let cluster: Cluster | undefined;
  let ownCertificate: DomainCertificate | undefined;
  let settings: ServerSettings | undefined;
  try {
    settings = await openSettings({ config, log, store });
    cluster = config.nats && (await loadCluster({ config, log, clock, store, prices: settings.prices }));
    await checkHost(config.host, config.port);
    ownCertificate = await openOwnCertificate(config, { log, clock, version, stopping: options.stopping });
    const parts = { store, cluster, settings, ownCertificate };
    const server = await compose({ ...options, ...parts, config, log, clock, isFirstStart: isFirst });
    noteStarted();
    return server;
  } catch (error) {
    settings?.stop();
    await ownCertificate?.stop();
    await cluster?.wire.leave();
    await store.close();
    throw error;
  }
}

async function loadCluster(
  given: Pick<Given, "config" | "log" | "clock" | "store"> & { prices: PriceBook },
): Promise<Cluster> {
  const { openCluster } = await import("./cluster.ts");
  return openCluster({ ...given, version });
}

interface Given extends Omit<ServerOptions, "clock">, CoreParts {
  isFirstStart: boolean;
}

/** Connects the parts of the server. */
async function compose(given: Given): Promise<RunningServer> {
  const { config, log, store, cluster, ownCertificate } = given;
  const stopUpkeep = await startStoreUpkeep(given);
  const core = await createCore(given, () => server);
  const { relay, clock, metrics, stopTraffic } = core;
  const identities = await createIdentities(given, {
    port: () => server.port,
    cancelUser: (user) => revokeUser(core, user),
    checkUsers: () => watch.check(),
    endAgentKey: (keyId) => agents.endKey(keyId),
    agentKeyChanged: (key) => agents.keyChanged(key),
    endSessions: (hashes) => live.endSessions(hashes),
    announce: (change) => cluster?.announce(change),
  });
  const access = createAccess(given);
  const agents: AgentSockets = createAgents(given, core, identities, access);
  const live: LiveFeed = createLive(given, core, identities, () => server);
  const backups = createBackups({
    data: config.database === undefined ? config.data : undefined,
    make: given.makeBackup,
  });
  const app = createApp(appDeps(given, { ...core, ...identities, ...access, agents, live, backups }));
  const server: Listener = listen({
    port: config.port,
    host: config.host,
    idleS: IDLE_CONNECTION_S,
    certificate: certificateFilesOf(config, ownCertificate),
    fetch: app.fetch,
    log,
    websocket: splitSockets(agents.websocket, live.websocket),
    onFault: () => errorResponse(new AppError("internal"), referenceStyle, ""),
  });
  const watch = watchAsks(given, core);
  const stopAlerts = core.alerts.start();
  const stopLive = every(LIVE_EVERY_MS, live.tick);
  const stopFileWatch = watchFileLimit(log);
  const sealChecked = warnOfLostSeal(identities.users, log);
  const cancelUser = (user: string) => revokeUser(core, user);
  const reloadSettings = given.settings.reload;
  const checkUsers = watch.check;
  cluster?.start({ ...core, ...identities, agents, store, live, cancelUser, checkUsers, reloadSettings });
  ownCertificate?.start(server.reloadCertificate);
  log.info("listening", { port: server.port, host: config.host ?? "*" });

  const countOthers = () =>
    [...(cluster?.wire.nodes.values() ?? [])].filter(({ draining }) => !draining).length;
  const stop = async () => {
    await ownCertificate?.stop();
    cluster?.wire.drain();
    await finishAsks({ config, log, clock, relay, agents, server, countOthers });
    for (const end of [stopLive, stopAlerts, live.stop, backups.stop]) end();
    await closeAgents({ relay, agents, clock });
    await within(clock, FLUSH_MS, server.stop());
    await server.stop(true);
    await cluster?.wire.leave();
    for (const end of [agents.stop, stopUpkeep, watch.stop, stopFileWatch, metrics.stop, stopTraffic]) end();
    given.settings.stop();
    await sealChecked;
    await store.close();
    log.info("stopped", { ...relay.stats(), timers: clock.pending() });
  };
  const { agentKey, signInCode } = identities;
  const { port, reloadCertificate } = server;
  const linkAgent: LinkAgent = (agent) => agents.link(agent, agentKey);
  return { port, agentKey, signInCode, linkAgent, reloadCertificate, stop: once(stop) };
}

/** Ends the requests of a user who may not send any, and forgets their answers and which agents had them. */
function revokeUser({ relay, responses }: Core, userId: string): void {
  relay.cancelUser(userId);
  relay.affinity.forget(userId);
  responses.forget(userId);
}

/** Ends the running requests of users who may no longer make them, also as an alias has another model now. */
function watchAsks({ store, log, settings }: Given, { relay }: Core) {
  const names = { relay, settings: settings.values };
  const watch = watchUsers({
    users: store.users,
    open: () => relay.openUserAsks(),
    mayUse: ({ models }, model) => mayStillUse(models, model, names),
    onError: (error) => log.error("users_unreadable", { cause: causeOf(error) }),
  });
  settings.settings.onChange((changed) => {
    if (changed.has("modelAliases")) watch.check();
  });
  return watch;
}

/** Deletes rows past their age, now and every hour. Resolves with a function that stops it. */
function startStoreUpkeep({ config, store, log, settings: { values } }: Given): Promise<() => void> {
  const { responsesDays = LEFT_RESPONSES_DAYS } = config;
  return startUpkeep({
    store,
    days: () => ({
      ...{ conversations: values.conversationDays, responses: responsesDays },
      // Each step of the traffic has a time of its own.
      ...{ usage: values.usageDays, traffic: 0, audit: values.auditDays },
    }),
    purged: (what, count) => log.info(`${what}_purged`, { [what]: count }),
    compacted: (bytes) => log.info("store_compacted", { bytes }),
    clockDiffers: (aheadMs) => warnOfClock(aheadMs, log),
    failed: (error) => log.error("purge_failed", { cause: causeOf(error) }),
  });
}

function createLive(
  { cluster }: Given,
  { overview, alerts }: Core,
  { sessions }: Identities,
  channel: () => Listener,
): LiveFeed {
  const problems = () => problemAnswers(alerts.problems(), now());
  return createLiveFeed({ overview, problems, nodes: cluster?.figures, endedOf: sessions.endedOf, channel });
}

function createAgents(
  { config, log, cluster }: Given,
  { relay, clock }: Core,
  { agentKey, agentKeys }: Identities,
  { addressOf, isOwnHost }: Access,
) {
  const { agents, agentOrigins: origins } = config;
  return createAgentSockets({
    ...{ relay, clock, log, newId, version, addressOf },
    rules: { agents, origins, isOwnHost },
    keys: agentKeys,
    resume: createResume(agentKey),
    socketsMax: config.agentsMax,
    helloWithinMs: config.helloWithinMs,
    frameBytesMax: config.frameBytesMax,
    silenceMs: Math.min(config.firstByteMs, config.betweenDeltasMs),
    v1Model: config.v1Model,
    claims: cluster?.agents.claims,
  });
}
