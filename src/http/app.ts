import { Hono } from "hono";
import type { HttpDeps, HttpEnv } from "./context.ts";
import { envelope, onError } from "./envelope.ts";
import { notFound, preflight } from "./methods.ts";
import { adminAgentRoutes } from "./routes/admin-agents.ts";
import { adminAuditRoutes } from "./routes/admin-audit.ts";
import { adminServerRoutes } from "./routes/admin-server.ts";
import { adminUserRoutes } from "./routes/admin-users.ts";
import { askRoutes } from "./routes/ask.ts";
import { connectionRoutes } from "./routes/connections.ts";
import { dashboardRoutes, toDashboard } from "./routes/dashboard.ts";
import { descriptionRoutes } from "./routes/description.ts";
import { healthRoutes } from "./routes/health.ts";
import { metricsRoutes } from "./routes/metrics.ts";
import { modelAskRoutes } from "./routes/model-asks.ts";
import { modelRoutes } from "./routes/models.ts";
import { overviewRoutes } from "./routes/overview.ts";
import { registerRoutes } from "./routes/register.ts";
import { sessionRoutes } from "./routes/session.ts";
import { usageRoutes } from "./routes/usage.ts";
import { userRoutes } from "./routes/users.ts";

/** All HTTP routes. `fetch` wants the server it runs in: `app.fetch(request, { server })`. */
export function createApp(deps: HttpDeps): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.use(envelope(deps));
  app.options("*", preflight);
  askRoutes(app, deps);
  modelAskRoutes(app, deps);
  modelRoutes(app, deps);
  connectionRoutes(app, deps);
  userRoutes(app, deps);
  adminUserRoutes(app, deps);
  usageRoutes(app, deps);
  adminAgentRoutes(app, deps);
  adminAuditRoutes(app, deps);
  adminServerRoutes(app, deps);
  overviewRoutes(app, deps);
  sessionRoutes(app, deps);
  registerRoutes(app, deps);
  healthRoutes(app, deps);
  metricsRoutes(app, deps);
  descriptionRoutes(app, deps);
  dashboardRoutes(app, deps);
  app.onError(onError(deps));
  const refuse = notFound(app);
  app.notFound((c) => toDashboard(c) ?? refuse(c));
  return app;
}
