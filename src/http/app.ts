import { Hono } from "hono";
import type { HttpDeps, HttpEnv } from "./context.ts";
import { envelope, onError } from "./envelope.ts";
import { notFound, preflight } from "./methods.ts";
import { askRoutes } from "./routes/ask.ts";
import { connectionRoutes } from "./routes/connections.ts";
import { healthRoutes } from "./routes/health.ts";
import { modelAskRoutes } from "./routes/model-asks.ts";
import { modelRoutes } from "./routes/models.ts";
import { registerRoutes } from "./routes/register.ts";
import { userRoutes } from "./routes/users.ts";

/** All HTTP routes. `fetch` wants the server it runs in: `app.fetch(request, { server })`. */
export function createApp(deps: HttpDeps): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.use(envelope(deps.log, deps.newId));
  app.options("*", preflight);
  askRoutes(app, deps);
  modelAskRoutes(app, deps);
  modelRoutes(app, deps);
  connectionRoutes(app, deps);
  userRoutes(app, deps);
  registerRoutes(app, deps);
  healthRoutes(app);
  app.onError(onError(deps.log));
  app.notFound(notFound(app));
  return app;
}
