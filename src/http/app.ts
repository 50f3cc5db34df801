import { Hono } from "hono";
import type { HttpEnv } from "./context.ts";
import { createNotFound, preflight } from "./fallback.ts";
import { onError, type RequestDeps, requestMiddleware } from "./middleware/request.ts";
import { toDashboard } from "./operations/dashboard.ts";
import { createPipeline, type PipelineOptions } from "./pipeline.ts";
import { bindResources, type ResourceDeps, ROUTES } from "./resources.ts";
import { createRouteTable } from "./route-table.ts";
import { createRouter } from "./router.ts";

export interface AppDeps extends Omit<RequestDeps, "routes"> {
  pipeline: PipelineOptions;
  /** The dependencies of the handlers of each resource. */
  resources: ResourceDeps;
}

/** All HTTP routes. `fetch` needs the server it runs in: `app.fetch(request, { server })`. */
export function createApp(deps: AppDeps): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>({ router: createRouter() });
  const routes = createRouteTable(ROUTES);
  app.use(requestMiddleware({ ...deps, routes }));
  app.options("*", preflight);
  const serve = createPipeline(deps.pipeline);
  for (const bound of bindResources(deps.resources))
    app.on(bound.route.method, bound.route.path, serve(bound));
  app.onError(onError({ ...deps, routes }));
  const refuse = createNotFound(routes);
  app.notFound((c) => toDashboard(c) ?? refuse(c));
  return app;
}
