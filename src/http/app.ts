import { Hono } from "hono";
import { connectionRoutes } from "./ask/connections.ts";
import { askRoutes } from "./ask/route.ts";
import type { HttpDeps, HttpEnv } from "./context.ts";
import { createNotFound, preflight } from "./methods.ts";
import { onError, requestMiddleware } from "./middleware/request.ts";
import { modelRoutes } from "./models/list.ts";
import { modelAskRoutes } from "./models/route.ts";
import { toDashboard } from "./operations/dashboard.ts";
import { createPipeline, type PipelineOptions } from "./pipeline.ts";
import { bindResources, type ResourceDeps, ROUTES } from "./resources.ts";
import { createRouteTable } from "./route-table.ts";
import { createRouter } from "./router.ts";

export interface AppDeps extends HttpDeps {
  pipeline: PipelineOptions;
  /** What the handlers of each resource need. */
  resources: ResourceDeps;
}

/** All HTTP routes. `fetch` needs the server it runs in: `app.fetch(request, { server })`. */
export function createApp(deps: AppDeps): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>({ router: createRouter() });
  app.use(requestMiddleware(deps));
  app.options("*", preflight);
  askRoutes(app, deps);
  modelAskRoutes(app, deps);
  modelRoutes(app, deps);
  connectionRoutes(app, deps);
  const serve = createPipeline(deps.pipeline);
  for (const bound of bindResources(deps.resources))
    app.on(bound.route.method, bound.route.path, serve(bound));
  app.onError(onError(deps));
  const refuse = createNotFound(createRouteTable(ROUTES));
  app.notFound((c) => toDashboard(c) ?? refuse(c));
  return app;
}
