import { agentRoutes } from "./admin/agents.ts";
import { auditRoutes } from "./admin/audit.ts";
import { modelStateRoutes } from "./admin/models/route.ts";
import { pairingRoutes } from "./admin/pairings.ts";
import { serverRoutes } from "./admin/server.ts";
import { settingsRoutes } from "./admin/settings.ts";
import { userRoutes } from "./admin/users.ts";
import { alertRoutes } from "./alerts/route.ts";
import { queueRoutes } from "./ask/queue.ts";
import { askRoutes } from "./ask/route.ts";
import { docsRoutes } from "./docs/route.ts";
import { liveRoutes } from "./live/route.ts";
import { byteRoutes } from "./models/bytes/route.ts";
import { modelListRoutes } from "./models/list.ts";
import { ollamaChangeRoutes } from "./models/ollama/changes.ts";
import { ollamaListRoutes } from "./models/ollama/list.ts";
import { ollamaRoutes } from "./models/ollama/route.ts";
import { modelRoutes } from "./models/route.ts";
import { taskRoutes } from "./models/tasks/route.ts";
import { dashboardRoutes } from "./operations/dashboard.ts";
import { healthRoutes } from "./operations/health.ts";
import { metricsRoutes } from "./operations/metrics.ts";
import { registerRoutes } from "./operations/register.ts";
import { requestRoutes } from "./requests/route.ts";
import { openaiConversationRoutes } from "./responses/conversation-route.ts";
import { responseRoutes } from "./responses/route.ts";
import type { BoundRoute, NamedRoute, Resource } from "./route.ts";
import { sessionListRoutes } from "./session/list.ts";
import { sessionRoutes } from "./session/route.ts";
import { tokenRoutes } from "./token/route.ts";
import { trafficRoutes } from "./traffic/route.ts";
import { usageRoutes } from "./usage/route.ts";

/** Every resource of the API, in the order of the documentation. */
const RESOURCES = {
  ask: askRoutes,
  queue: queueRoutes,
  models: modelRoutes,
  responses: responseRoutes,
  openaiConversations: openaiConversationRoutes,
  tasks: taskRoutes,
  bytes: byteRoutes,
  modelList: modelListRoutes,
  ollama: ollamaRoutes,
  ollamaList: ollamaListRoutes,
  ollamaChanges: ollamaChangeRoutes,
  users: userRoutes,
  usage: usageRoutes,
  requests: requestRoutes,
  traffic: trafficRoutes,
  audit: auditRoutes,
  agents: agentRoutes,
  modelStates: modelStateRoutes,
  pairings: pairingRoutes,
  live: liveRoutes,
  settings: settingsRoutes,
  alerts: alertRoutes,
  server: serverRoutes,
  session: sessionRoutes,
  sessionList: sessionListRoutes,
  token: tokenRoutes,
  register: registerRoutes,
  health: healthRoutes,
  metrics: metricsRoutes,
  docs: docsRoutes,
  dashboard: dashboardRoutes,
};

type Resources = typeof RESOURCES;

/** The dependencies of the handlers of each resource. */
export type ResourceDeps = { [Name in keyof Resources]: Parameters<Resources[Name]["bind"]>[0] };

/** Every declared route. */
export const ROUTES: readonly NamedRoute[] = Object.values(RESOURCES).flatMap(({ routes }) => routes);

/** Returns every route with its handler. */
export function bindResources(deps: ResourceDeps): BoundRoute[] {
  const names = Object.keys(RESOURCES) as (keyof Resources)[];
  return names.flatMap((name) => (RESOURCES[name] as Resource<ResourceDeps[typeof name]>).bind(deps[name]));
}
