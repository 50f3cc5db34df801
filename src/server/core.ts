import manifest from "../../package.json" with { type: "json" };
import type { DomainCertificate } from "../acme/domain-certificate.ts";
import { createLimits, type Limits } from "../auth/limits/limits.ts";
import type { Config } from "../config/settings.ts";
import { DAY_MS } from "../durations.ts";
import { createOverview } from "../http/live/overview.ts";
import { createReadiness } from "../http/operations/readiness.ts";
import { createResponses } from "../http/responses/create.ts";
import { createTrafficMeter } from "../http/traffic/meter.ts";
import type { Log } from "../log/log.ts";
import { createMetrics } from "../metrics/metrics.ts";
import { Relay } from "../relay/relay.ts";
import type { Store } from "../store/store.ts";
import { type CountingClock, every } from "../time.ts";
import { createAlerts } from "./alerts/create.ts";
import { certificateState } from "./certificate.ts";
import type { Cluster } from "./cluster.ts";
import type { Listener } from "./listener.ts";
import { createObserver } from "./observer.ts";
import { storeGraceOf } from "./open-data.ts";
import type { ServerSettings } from "./settings.ts";
import { readUsedBefore } from "./used-today.ts";

/** The parts that the core is made of. */
export interface CoreParts {
  config: Config;
  log: Log;
  clock: CountingClock;
  store: Store;
  cluster: Cluster | undefined;
  settings: ServerSettings;
  /** Undefined without `--domain`. */
  ownCertificate: DomainCertificate | undefined;
}

export type Core = Awaited<ReturnType<typeof createCore>>;

export const { version } = manifest;
export const now = () => Date.now();
export const newId = () => crypto.randomUUID();
/** Has the time, by which the request is found fast among the kept ones. */
export const newRequestId = () => `req_${Bun.randomUUIDv7()}`;
const TICK_MS = 1_000;
const elapsedMs = () => performance.now();

/**
 * Creates the relay, and what watches it: limits, metrics, usage, the overview and the readiness check.
 * `server` is called later, as the server is made last.
 */
export async function createCore(given: CoreParts, server: () => Listener) {
  const { config, store, log, clock, cluster, ownCertificate } = given;
  const { values, limits: relayLimits, prices } = given.settings;
  const used = await readUsedBefore(store, log, now());
  const currency = () => prices.currency;
  const limits: Limits = cluster?.limits ?? createLimits({ now, elapsedMs, used, currency });
  const metrics = createMetrics({
    version,
    relay: () => relay,
    knowsModel: (model) => relay.knowsModel(model),
    server: () => ({ requests: server().pendingRequests, sockets: server().pendingWebSockets }),
  });
  const overview = createOverview({
    ...{ users: store.users, version, now, elapsedMs },
    relay: () => relay,
    readiness: () => readiness,
  });
  const { traffic, stopTraffic } = startTraffic(store, () => values.usageDays * DAY_MS);
  const alerts = createAlerts(given, {
    ...{ version, newId, relay: () => relay, readiness: () => readiness, certificate: () => certificate() },
  });
  metrics.addProblems(alerts.monitor.counts);
  const { monitor } = alerts;
  const observer = createObserver({
    ...{ log, metrics, usage: store.usage, limits, prices, overview, traffic, monitor },
  });
  const observe = cluster?.agents.observed(observer) ?? observer;
  const soon = (run: () => void) => void setImmediate(run);
  const peers = cluster && { peers: cluster.exchange };
  const relay = new Relay({
    clock,
    newId,
    random: Math.random,
    limits: relayLimits,
    observe,
    soon,
    ...peers,
  });
  const certificate = () => certificateState(server().certificate, ownCertificate);
  const readiness = createReadiness({
    ...{ relay, checkStore: store.check, queueMax: () => values.queueMax, now },
    storeGraceMs: storeGraceOf(config),
    isNatsAway: cluster && (() => cluster.wire.isDegraded()),
    isLearning: cluster && (() => cluster.exchange.isLearning),
    certificate,
    agentsElsewhere: cluster && (() => cluster.agents.directory.size),
  });
  if (config.database !== undefined)
    metrics.addStore(async () => (await readiness(0)).degraded.includes("store"));
  if (config.tlsCert !== undefined || ownCertificate) metrics.addCertificate(certificate);
  const responses = responsesOf(given, relay);
  const watchers = { metrics, overview, traffic, stopTraffic, alerts, monitor };
  return { ...watchers, clock, limits, prices, relay, readiness, responses, certificate };
}

/** Counts the ended requests by steps of time. */
function startTraffic(store: Store, keptMsMax: () => number) {
  const traffic = createTrafficMeter({ traffic: store.traffic, now, run: newId(), keptMsMax });
  const stopTicks = every(TICK_MS, traffic.tick);
  const stopTraffic = () => {
    stopTicks();
    traffic.stop();
  };
  return { traffic, stopTraffic };
}

function responsesOf({ config, store, log, clock, cluster }: CoreParts, relay: Relay) {
  const own = newId();
  return createResponses({
    ...{ relay, clock, log, newId, now },
    bytesMax: config.responseMemoryBytes,
    recalledLengthMax: config.bodyBytesMax,
    conversationLengthMax: config.conversationLengthMax,
    graceMs: config.responseGraceMs,
    store: config.responsesDays === undefined ? undefined : store.responses,
    holder: cluster?.wire.self.id ?? own,
    isAlive: (holder) => cluster?.wire.nodes.has(holder) ?? false,
    isShared: cluster !== undefined,
    peers: cluster?.responses,
  });
}
