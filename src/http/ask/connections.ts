import type { Hono } from "hono";
import { type HttpDeps, type HttpEnv, json } from "../context.ts";

/** How the reference tells that an agent was never sent a request. */
const ZERO_TIME = "0001-01-01T00:00:00Z";

/**
 * The reference's list of agents, with its key names. It needs a key, unlike the reference's: ids of agents
 * are nobody else's business.
 */
export function connectionRoutes(app: Hono<HttpEnv>, deps: HttpDeps): void {
  app.get("/api/connections", async (c) => {
    const caller = await deps.callers.identify(c.req.raw.headers);
    c.set("principal", caller.principal);
    const connections = [...deps.relay.agents()].map((agent) => ({
      Ws: {},
      Id: agent.id,
      Heartbeat: new Date(agent.heartbeatAt).toISOString(),
      LastMessageTime: agent.sentAt === undefined ? ZERO_TIME : new Date(agent.sentAt).toISOString(),
    }));
    return json({ connections });
  });
}
