import type { Server } from "bun";
import manifest from "../../package.json" with { type: "json" };
import type { AgentSockets } from "../agents/sockets.ts";
import type { AgentKeys } from "../auth/agent-keys.ts";
import { createAudit } from "../auth/audit.ts";
import { createCallers } from "../auth/callers.ts";
import type { Limits } from "../auth/limits.ts";
import { loadSeal } from "../auth/seal.ts";
import { createSecret } from "../auth/secret.ts";
import type { Sessions } from "../auth/sessions.ts";
import type { UseCode } from "../auth/sign-in-code.ts";
import { createUsers } from "../auth/users.ts";
import type { Backups } from "../backup/download.ts";
import { type Config, describeSettings, type Origins } from "../config/read.ts";
import { createDashboard } from "../dashboard/assets.ts";
import { sealKeyIn } from "../data-folder.ts";
import { createApp } from "../http/app.ts";
import { createAuthenticate } from "../http/authenticate.ts";
import type { LiveFeed } from "../http/live/feed.ts";
import type { Figures } from "../http/live/figures.ts";
import { Threads } from "../http/models/v1-threads.ts";
import type { Readiness } from "../http/operations/readiness.ts";
import { ROUTES } from "../http/resources.ts";
import type { Log } from "../log/log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Relay } from "../relay/relay.ts";
import type { Store } from "../store/store.ts";
import type { Gate } from "./gate.ts";
import type { SocketData } from "./sockets.ts";

type Fetch = (request: Request, server: Server<SocketData>) => Response | Promise<Response>;

export interface FetchParts {
  store: Store;
  relay: Relay;
  sockets: AgentSockets;
  agentKeys: AgentKeys;
  limits: Limits;
  log: Log;
  metrics: Metrics;
  gate: Gate;
  readiness: Readiness;
  sessions: Sessions;
  useCode: UseCode;
  figures: Figures;
  live: LiveFeed;
  backups: Backups;
  origins: Origins | undefined;
}

/** What answers every request. */
export function createFetch(config: Config, parts: FetchParts): Fetch {
  const { store, relay, sockets, gate, sessions, backups, origins, limits, log, metrics } = parts;
  const seal = loadSeal({ sealKey: config.sealKey, path: sealKeyIn(config.data) });
  const callers = createCallers({ adminKey: createSecret(config.adminKey), users: store.users, sessions });
  const users = createUsers({
    users: store.users,
    seal,
    onChange: ({ user, revoked }) => {
      callers.forget();
      if (revoked) relay.cancelUser(user);
    },
  });
  const audit = createAudit({ audit: store.audit });
  const metricsKey = config.metricsKey === undefined ? undefined : createSecret(config.metricsKey);
  const authenticate = createAuthenticate({ callers, metricsKey, useCode: parts.useCode });
  const { figures, live, readiness, agentKeys } = parts;
  const newId = () => crypto.randomUUID();
  const now = () => Date.now();
  const { version } = manifest;
  const { bodyBytesMax, bodyWithinMs } = config;
  const app = createApp({
    relay,
    conversations: store.conversations,
    callers,
    limits,
    log,
    metrics,
    newId,
    newConversationId: () => Bun.randomUUIDv7(),
    now,
    threads: new Threads(),
    modelAliases: config.modelAliases ?? {},
    accessControl: gate.accessControl,
    bodyBytesMax,
    bodyWithinMs,
    conversationLengthMax: config.conversationLengthMax,
    pipeline: { authenticate, limits, bodyLimits: { bodyBytesMax, bodyWithinMs } },
    resources: {
      users: { users, audit, newId },
      user: { users, audit },
      usage: { usage: store.usage, now },
      audit: { audit },
      agents: { relay, agentKeys, audit, askedModels: figures.askedModels, newId, now },
      live: { figures, live },
      server: {
        audit,
        settings: describeSettings(config, origins),
        version,
        startedAt: figures.startedAt,
        now,
        takeBackup: backups.take,
      },
      session: { sessions, users, isSecure: gate.isSecure },
      register: { register: sockets.register },
      health: { readiness },
      metrics: { metrics },
      docs: { version, routes: ROUTES },
      dashboard: { files: createDashboard() },
    },
  });
  return (request, server) => app.fetch(request, { server });
}
