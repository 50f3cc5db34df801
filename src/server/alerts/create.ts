import { networkInterfaces } from "node:os";
import { mergeProblems } from "../../alerts/merge.ts";
import { createMonitor, type Monitor } from "../../alerts/monitor.ts";
import type { CertificateFacts, ClusterFacts } from "../../alerts/sources.ts";
import { createDeliver } from "../../alerts/webhook/deliver.ts";
import { Notifier } from "../../alerts/webhook/notifier.ts";
import { formatOf, type WebhookSettings } from "../../alerts/webhook/settings.ts";
import { createUserNames } from "../../auth/user-names.ts";
import { publicUrlOf } from "../../config/public-url.ts";
import type { Config } from "../../config/settings.ts";
import type { Readiness } from "../../http/operations/readiness.ts";
import type { Log } from "../../log/log.ts";
import { listenAddresses } from "../../net/listen-addresses.ts";
import type { Problem } from "../../protocol/node/problems.ts";
import type { Relay } from "../../relay/relay.ts";
import type { SettingValues } from "../../settings/declarations.ts";
import type { WebhookValue } from "../../settings/webhook.ts";
import type { Store } from "../../store/store.ts";
import { type CountingClock, every } from "../../time.ts";
import type { Cluster } from "../cluster.ts";
import { isAdminKeyWeak } from "./admin-key.ts";
import { createServerFacts } from "./facts.ts";

interface Given {
  config: Config;
  log: Log;
  clock: CountingClock;
  store: Store;
  settings: { readonly values: SettingValues };
  cluster: Cluster | undefined;
}

const TICK_MS = 1_000;

/** Parts that are made after the alerts, as they report to them. */
interface Later {
  version: string;
  newId: () => string;
  relay: () => Relay;
  readiness: () => Readiness;
  certificate: () => CertificateFacts | undefined;
}

export interface Alerts {
  monitor: Monitor;
  notifier: Notifier;
  /** Looks once a second what is wrong, and tells the webhook. Returns a function that ends both. */
  start(): () => void;
  /** The problems of all nodes, the worst first. */
  problems(): readonly Problem[];
}

/** Creates what finds problems, and what tells the webhook of them. */
export function createAlerts(given: Given, later: Later): Alerts {
  const { config, log, clock, store, cluster } = given;
  const { values } = given.settings;
  const { version, newId, relay, certificate } = later;
  const now = () => clock.now();
  const facts = createServerFacts({ readiness: later.readiness, store, folder: config.data, clock });
  const names = createUserNames(store.users, now);
  const weak = isAdminKeyWeak(config, listenAddresses(config.host, networkInterfaces()));
  let all: readonly Problem[] = [];
  const monitor = createMonitor({
    sources: () => ({
      ...{ relay: relay(), queueMax: values.queueMax, facts: facts.read, certificate },
      ...{
        isAdminKeyWeak: weak,
        webhookFailure: () => notifier.failure,
        cluster: cluster && clusterFacts(cluster),
      },
    }),
    knowsModel: (model) => relay().knowsModel(model),
    userName: names.get,
    loadUsers: (ids) => void names.load(ids).catch(() => {}),
    now,
  });
  const publicUrl = publicUrlOf(config);
  const url = publicUrl && `${publicUrl}/dashboard#/overview`;
  const notifier = new Notifier({
    webhook: { current: () => webhookOf(values.webhook) },
    problems: () => all,
    isSender: () => cluster?.problems.isSender ?? true,
    deliver: createDeliver(`chatgpt-api-server/${version}`, now),
    server: { name: publicUrl ? new URL(publicUrl).host : "chatgpt-api-server", version, url },
    ...{ newId, clock, log },
  });
  const tick = () => {
    facts.tick();
    monitor.tick();
    cluster?.problems.publish(monitor.problems());
    all = cluster ? mergeProblems([...monitor.problems(), ...cluster.problems.others()]) : monitor.problems();
    notifier.tick();
  };
  return {
    ...{ monitor, notifier, problems: () => all },
    start() {
      const stopTicks = every(TICK_MS, tick);
      return () => {
        stopTicks();
        notifier.stop();
      };
    },
  };
}

function clusterFacts({ wire, agents, exchange }: Cluster): ClusterFacts {
  return {
    self: wire.self.name,
    agentsElsewhere: () => agents.directory.size,
    offersElsewhere: (model) => exchange.offersModel(model),
    isConnectedElsewhere: (id) => exchange.isConnected(id),
  };
}

/** Returns the webhook in force. */
function webhookOf({ url, format, secret, severity }: WebhookValue): WebhookSettings | undefined {
  if (url === null) return undefined;
  return {
    ...{ url, format: format === "auto" ? formatOf(url) : format },
    ...{ secret: secret ?? undefined, severityMin: severity },
  };
}
