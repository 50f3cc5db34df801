import type { Hono } from "hono";
import { AppError } from "../../errors.ts";
import type { Agent } from "../../relay/agent.ts";
import { type HttpContext, type HttpDeps, type HttpEnv, json } from "../context.ts";
import { whyNoWork } from "../live/no-work.ts";
import { parseShape } from "../middleware/body.ts";
import { AddAgentKeyBody, DisconnectBody } from "./agents-schema.ts";
import { readAdminBody } from "./body.ts";
import { adminNote } from "./note.ts";
import { EmptyAdminBody } from "./schema.ts";

/** The agents that are connected, and the keys that let them in. The admin key may be where it may for users. */
export function adminAgentRoutes(app: Hono<HttpEnv>, deps: HttpDeps): void {
  const { relay, agentKeys, audit, newId } = deps;
  const admin = (c: HttpContext) => deps.callers.requireAdmin(c.req.raw.headers, c.req.query("admin_key"));

  app.get("/admin/agents", (c) => {
    admin(c);
    const now = deps.now();
    const why = (agent: Agent) => whyNoWork(agent, deps.figures.askedModels, now);
    return json({ agents: [...relay.agents()].map((agent) => describeAgent(agent, why(agent))) });
  });

  app.post("/admin/agents/:id/disconnect", async (c) => {
    const body = parseShape(DisconnectBody, await readAdminBody(c, deps), "body_invalid");
    const drain = body.drain ?? false;
    const id = c.req.param("id");
    if (!relay.isConnected(id)) throw new AppError("agent_unknown");
    const note = adminNote(c, "agent.disconnect", id, { drain });
    // One that left by itself while the row was written is what was wanted.
    const state = await audit.change(note, async () => relay.disconnect(id, { drain }) ?? "closed");
    return json({ id, state });
  });

  app.get("/admin/agents/keys", async (c) => {
    admin(c);
    const keys = await agentKeys.list();
    return json({
      keys: keys.map(({ id, name, models, createdAt, revokedAt }) => ({
        id,
        name,
        models,
        created_at: new Date(createdAt).toISOString(),
        revoked_at: revokedAt === null ? null : new Date(revokedAt).toISOString(),
      })),
    });
  });

  app.post("/admin/agents/keys", async (c) => {
    const body = parseShape(AddAgentKeyBody, await readAdminBody(c, deps), "body_invalid");
    const added = { id: newId(), name: body.name, models: body.models ?? null };
    const { id, ...detail } = added;
    return json(await audit.change(adminNote(c, "agent_key.add", id, detail), () => agentKeys.add(added)));
  });

  app.delete("/admin/agents/keys/:id", async (c) => {
    parseShape(EmptyAdminBody, await readAdminBody(c, deps), "body_invalid");
    const id = c.req.param("id");
    const key = (await agentKeys.list()).find((candidate) => candidate.id === id);
    if (!key || key.revokedAt !== null) throw new AppError("agent_key_unknown");
    const note = adminNote(c, "agent_key.revoke", id, { name: key.name });
    if (!(await audit.change(note, () => agentKeys.revoke(id)))) throw new AppError("agent_key_unknown");
    return json({ id, name: key.name, revoked: true });
  });
}

function describeAgent(agent: Agent, noWorkBecause: string | null) {
  const { profile, offer, inUse, registeredAt, lastHeardAt, paused, leaving } = agent;
  return {
    id: agent.id,
    name: profile.name,
    version: profile.version ?? null,
    protocol: agent.isV1 ? 1 : 2,
    address: profile.address,
    key: profile.key?.name ?? null,
    models: offer.models.map(({ id }) => id),
    slots: offer.slots,
    in_use: inUse.size,
    paused,
    draining: leaving,
    no_work_because: noWorkBecause,
    since: new Date(registeredAt).toISOString(),
    last_heard: new Date(lastHeardAt).toISOString(),
  };
}
