import { bodyBytesMax } from "../agents/polling/polling.ts";
import type { AgentSockets } from "../agents/sockets.ts";
import { createAudit } from "../auth/audit.ts";
import { createPairingAttempts } from "../auth/pairing/attempts.ts";
import { affinitySeed } from "../auth/secret.ts";
import type { createBackups } from "../backup/download.ts";
import { publicUrlOf } from "../config/public-url.ts";
import { type Config, describeSettings, type Origins } from "../config/settings.ts";
import { createDashboard } from "../dashboard/assets.ts";
import { uploadFolderIn } from "../data-folder.ts";
import type { AppDeps } from "../http/app.ts";
import type { createLiveFeed } from "../http/live/feed.ts";
import { Threads } from "../http/models/threads.ts";
import { ROUTES } from "../http/resources.ts";
import type { Log } from "../log/log.ts";
import type { Store } from "../store/store.ts";
import type { Cluster } from "./cluster.ts";
import { type Core, newId, newRequestId, now, version } from "./core.ts";
import type { Access, Identities } from "./identities.ts";
import type { ServerSettings } from "./settings.ts";

interface Given {
  config: Config;
  log: Log;
  store: Store;
  /** Undefined for a single server. */
  cluster: Cluster | undefined;
  settings: ServerSettings;
  /** The source of each setting. If left out, all are shown as defaults. */
  origins?: Origins;
}

/** The runtime itself gives the head of a request about 10 s. */
export const IDLE_CONNECTION_S = 60;

interface Parts extends Core, Identities, Access {
  agents: AgentSockets;
  live: ReturnType<typeof createLiveFeed>;
  backups: ReturnType<typeof createBackups>;
}

/** The limits of a body with messages of an agent, of which one may be as large as a frame. */
function agentBodyLimits({ frameBytesMax, bodyWithinMs }: Config) {
  return { bodyBytesMax: bodyBytesMax(frameBytesMax), bodyWithinMs };
}

/** The counts of requests by model. */
function statesOf({ traffic }: Store, { traffic: meter, overview }: Pick<Core, "traffic" | "overview">) {
  return { traffic, meter, askedModels: overview.askedModels, now };
}

const bodyLimitsOf = (config: Config) => ({ ...config, uploadFolder: uploadFolderIn(config.data) });

/** Counts each refused request where it is shown, and for the alerts. */
function refusalNotes({ refusals }: Store, { monitor, traffic, overview }: Parts): AppDeps["noteRefusal"] {
  return (refusal) => {
    const { principal, reason, missingModel, at } = refusal;
    refusals.record(principal, reason, at);
    monitor.refused(principal, reason, missingModel);
    if (reason === "model_not_found" && missingModel !== undefined) traffic.noteMissing(missingModel);
    traffic.noteRefusal(refusal);
    overview.noteRefusal();
  };
}

/** The dependencies of the routes that ask models. */
function modelDeps({ config, log, cluster, settings }: Given, { relay, clock, responses }: Parts) {
  return {
    ...{ relay, newId, now, settings: settings.values, log, clock },
    ...responses,
    threads: cluster?.agents.threads ?? new Threads(),
    chainStart: affinitySeed(config.clusterKey),
  };
}

/** The dependencies of the routes, by resource. */
export function appDeps(given: Given, parts: Parts): AppDeps {
  const { config, store, log, cluster, settings, origins } = given;
  const { relay, clock, limits, responses, metrics, overview, users, sessions, authenticate, accessControl } =
    parts;
  const [{ values, prices }, { conversations, usage }] = [settings, store];
  const audit = createAudit({ audit: store.audit });
  const nodes = cluster?.lists;
  const publicUrl = publicUrlOf(config);
  const models = modelDeps(given, parts);
  return {
    ...{ log, newRequestId, metrics, accessControl, idleS: IDLE_CONNECTION_S },
    ...{ noteRefusal: refusalNotes(store, parts), now },
    pipeline: {
      ...{ authenticate, accessControl, limits, prices, bodyLimits: bodyLimitsOf(config) },
      offered: () => relay.models().map(({ id }) => id),
    },
    resources: {
      ask: {
        ...{ relay, nodes, conversations, newId },
        newConversationId: () => Bun.randomUUIDv7(),
        conversationLengthMax: config.conversationLengthMax,
        ...{ settings: values, log, clock },
      },
      queue: { relay, nodes },
      models,
      responses: { ...responses, clock },
      openaiConversations: { conversations: responses.conversations, isOn: responses.shelf.isOn },
      tasks: models,
      bytes: models,
      modelList: { relay, settings: values },
      ollama: models,
      ollamaList: { relay, settings: values },
      ollamaChanges: { relay, settings: values },
      users: { users, audit, newId },
      usage: { usage, refusals: store.refusals, prices, now },
      requests: { usage, users: store.users, prices, now },
      traffic: { usage, prices, traffic: store.traffic, meter: parts.traffic, users: store.users, now },
      audit: { audit },
      agents: {
        ...{ relay, nodes, agentKeys: parts.agentKeys, audit, newId, now, version },
        remote: cluster?.agents.remote,
        askedModels: overview.askedModels,
      },
      modelStates: { relay, nodes, settings: values, version, ...statesOf(store, parts) },
      pairings: {
        ...{ pairings: parts.pairings, audit, newId, publicUrl },
        attempts: createPairingAttempts(() => performance.now()),
      },
      live: { live: parts.live, publicUrl },
      alerts: { ...parts.alerts, now },
      settings: {
        ...{ audit, version, startedAt: overview.startedAt, certificate: parts.certificate },
        shown: describeSettings(config, origins),
        settings: settings.settings,
        announce: () => cluster?.announce({ settings: true }),
      },
      server: { audit, now, backups: parts.backups },
      session: { sessions, audit, users, limits, prices, isSecure: parts.isSecure, publicUrl, now },
      sessionList: { sessions, audit },
      token: { sessions, users, audit, isSecure: parts.isSecure },
      register: { agents: parts.agents, bodyLimits: agentBodyLimits(config) },
      health: { readiness: parts.readiness, countNodes: cluster && (() => cluster.wire.nodes.size + 1) },
      metrics: { metrics },
      docs: { version, routes: ROUTES, publicUrl },
      dashboard: { files: createDashboard(), sessions },
    },
  };
}
