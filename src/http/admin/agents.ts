import {
  type AgentKeys,
  agentKeyChanges,
  agentKeyFields,
  describeAgentKey,
  describeNewKey,
} from "../../auth/agent-keys.ts";
import type { Audit } from "../../auth/audit.ts";
import { AppError } from "../../errors.ts";
import type { Relay } from "../../relay/relay.ts";
import { withoutNulls } from "../../user-attributes.ts";
import type { AskedModels } from "../live/idle-reason.ts";
import type { NodeLists } from "../node-lists.ts";
import { ok, resource, route } from "../route.ts";
import { SAMPLE } from "../values.ts";
import {
  AddAgentKeyBody,
  AddedAgentKey,
  AgentKeyAnswer,
  AgentKeyList,
  AgentKeyRevoked,
  ChangeAgentKeyBody,
} from "./agent-key-schema.ts";
import { agentRows, mergeAgents } from "./agent-rows.ts";
import { auditNote } from "./audit.ts";
import {
  AgentDisconnected,
  AgentList,
  AgentReset,
  AgentUpdated,
  DisconnectBody,
  NO_FIELDS,
  ResetAgentBody,
} from "./schema.ts";

interface AgentDeps {
  relay: Pick<Relay, "agents" | "isConnected" | "disconnect" | "resetCircuits" | "askToUpdate">;
  /** The agents of other nodes. Undefined on a single server. */
  remote?: RemoteAgents | undefined;
  agentKeys: Pick<AgentKeys, "list" | "add" | "change" | "revoke">;
  audit: Audit;
  askedModels: Pick<AskedModels, "lastAt">;
  /** The lists of the other nodes of a cluster; undefined for a single server. */
  nodes?: Pick<NodeLists, "name" | "agents"> | undefined;
  newId: () => string;
  /** Milliseconds since 1970. */
  now: () => number;
  /** The version of this server. */
  version: string;
}

/** Does what the `Relay` does, with agents of other nodes. Rejects with an `AppError` if one does not answer. */
interface RemoteAgents {
  disconnect(agentId: string, how: { drain: boolean }): Promise<ReturnType<Relay["disconnect"]>>;
  resetCircuits(agentId: string, model?: string): Promise<ReturnType<Relay["resetCircuits"]>>;
  askToUpdate(agentId: string): Promise<ReturnType<Relay["askToUpdate"]>>;
}

const NOT_ALLOWED = "Its owner allows it with: chatgpt-api-server agent install <server> --allow-update";

const KEY = { id: "f47ac10b-58cc-4372-a567-0e02b2c3d479", name: "gpu box" };
const PREFERENCE = { priority: 10, weight: null, tags: ["home"], owner_id: SAMPLE.userId, shows_name: true };

const ROUTES = {
  listAgents: route("GET /admin/agents", {
    access: "adminOrQuery",
    summary: "List the connected agents",
    description:
      "In a cluster those of all nodes. Each then has the name of its `node`, and `missing_nodes` names the nodes that did not send all of theirs within a second.",
    answers: ok("The agents.", AgentList, {
      agents: [
        {
          ...{ id: SAMPLE.agentId, name: "gpu box", protocol: "v2", transport: "websocket" },
          ...{ address: "192.0.2.7", key: "main" },
          ...{ version: SAMPLE.version, models: [SAMPLE.model], slots: 4, in_use: 1, paused: false },
          ...{ loaded_models: [SAMPLE.model], priority: 10, weight: 1, tags: ["home"] },
          ...{ draining: false, no_work_because: null, circuits: [], newer_version: null, can_update: true },
          ...{ since: SAMPLE.time, last_heard: SAMPLE.laterTime },
        },
      ],
    }),
  }),
  disconnectAgent: route("POST /admin/agents/:id/disconnect", {
    access: "adminOrBody",
    summary: "Disconnect an agent",
    description:
      "The agent is disconnected at once or, with `drain`, when its running requests are finished. It does not reconnect by itself.",
    params: { id: "The agent's id." },
    body: { schema: DisconnectBody, example: { drain: true }, isRequired: false },
    answers: ok("What happens to the agent.", AgentDisconnected, { id: SAMPLE.agentId, state: "draining" }),
    errors: ["audit_failed", "agent_unknown", "node_unanswered"],
  }),
  resetAgent: route("POST /admin/agents/:id/reset", {
    access: "adminOrBody",
    summary: "Let an agent that failed have requests again",
    description: "Closes the circuits of the agent, whatever failed before.",
    params: { id: "The agent's id." },
    body: { schema: ResetAgentBody, example: { model: SAMPLE.model }, isRequired: false },
    answers: ok("The models whose circuits were closed.", AgentReset, {
      ...{ id: SAMPLE.agentId, models: [SAMPLE.model] },
    }),
    errors: ["audit_failed", "agent_unknown", "node_unanswered"],
  }),
  updateAgent: route("POST /admin/agents/:id/update", {
    access: "adminOrBody",
    summary: "Ask an agent to update itself",
    description:
      "The agent fetches the newest release from the source that its owner chose, finishes its running requests, and connects again. Only for agents whose `can_update` is true: their owners installed them with `--allow-update`.",
    params: { id: "The agent's id." },
    body: NO_FIELDS,
    answers: ok("The agent was asked.", AgentUpdated, { id: SAMPLE.agentId, state: "asked" }),
    errors: ["audit_failed", "agent_unknown", "agent_update_refused", "node_unanswered"],
  }),
  listAgentKeys: route("GET /admin/agents/keys", {
    access: "adminOrQuery",
    summary: "List the agent keys, without the secrets themselves",
    description: "Revoked keys are listed too. The server's own agent key is not.",
    answers: ok("The keys.", AgentKeyList, {
      keys: [{ ...KEY, models: null, ...PREFERENCE, created_at: SAMPLE.time, revoked_at: null }],
    }),
    errors: ["verify_failed"],
  }),
  addAgentKey: route("POST /admin/agents/keys", {
    access: "adminOrBody",
    summary: "Create an agent key",
    description: "The key is shown only in this answer.",
    body: { schema: AddAgentKeyBody, example: { name: "gpu box", models: [SAMPLE.model], ...PREFERENCE } },
    answers: ok("The key.", AddedAgentKey, {
      ...{ ...KEY, models: [SAMPLE.model], ...PREFERENCE, key: "agent-3Jm0…" },
    }),
    errors: ["audit_failed", "agent_key_name_taken", "user_unknown", "verify_failed"],
  }),
  changeAgentKey: route("PATCH /admin/agents/keys/:id", {
    access: "adminOrBody",
    summary: "Change how agents with a key are chosen",
    description:
      "Agents that are connected with the key follow at once. Missing fields stay as they are. Null removes a value.",
    params: { id: "The key's id." },
    body: { schema: ChangeAgentKeyBody, example: { priority: 10, tags: ["home"] } },
    answers: ok("The changed key.", AgentKeyAnswer, {
      ...{ ...KEY, models: null, ...PREFERENCE, created_at: SAMPLE.time, revoked_at: null },
    }),
    errors: ["audit_failed", "agent_key_unknown", "user_unknown", "verify_failed"],
  }),
  revokeAgentKey: route("DELETE /admin/agents/keys/:id", {
    access: "adminOrBody",
    summary: "Revoke an agent key",
    description: "The agents that connected with it are disconnected.",
    params: { id: "The key's id." },
    body: NO_FIELDS,
    answers: ok("Revoked.", AgentKeyRevoked, { ...KEY, revoked: true }),
    errors: ["audit_failed", "agent_key_unknown", "verify_failed"],
  }),
};

/** The connected agents, and the keys that let them in. */
export const agentRoutes = resource("Agents", ROUTES).handledBy((deps: AgentDeps) => {
  const { relay, remote, nodes, agentKeys, audit, askedModels, newId, now, version } = deps;
  return {
    listAgents() {
      const agents = [...agentRows({ relay, askedModels, now, version })];
      return nodes ? mergeAgents(agents, nodes) : { agents };
    },

    async disconnectAgent({ exchange, params: { id }, body }) {
      const drain = body.drain ?? false;
      const note = auditNote(exchange, "agent.disconnect", id, { ...(await nameOf(deps, id)), drain });
      const state = await audit.change(
        note,
        async () => relay.disconnect(id, { drain }) ?? (await remote?.disconnect(id, { drain })),
      );
      // An agent that left by itself while the row was written is as good as disconnected.
      return { id, state: state ?? "closed" };
    },

    async resetAgent({ exchange, params: { id }, body }) {
      const model = body.model ?? undefined;
      const note = auditNote(exchange, "agent.reset", id, { ...(await nameOf(deps, id)), model });
      const models = await audit.change(
        note,
        async () => relay.resetCircuits(id, model) ?? (await remote?.resetCircuits(id, model)),
      );
      // An agent that left while the row was written has no circuits to close.
      return { id, models: models ?? [] };
    },

    async updateAgent({ exchange, params: { id } }) {
      const note = auditNote(exchange, "agent.update", id, await nameOf(deps, id));
      const state = await audit.change(note, async () => {
        const result = relay.askToUpdate(id) ?? (await remote?.askToUpdate(id));
        if (result === undefined) throw new AppError("agent_unknown");
        if (result === "refused") throw new AppError("agent_update_refused", { hint: NOT_ALLOWED });
        return result;
      });
      return { id, state };
    },

    async listAgentKeys() {
      const keys = await agentKeys.list();
      return { keys: keys.map(describeAgentKey) };
    },

    async addAgentKey({ exchange, body: { name, models = null, ...fields } }) {
      const id = newId();
      const changes = withoutNulls(agentKeyChanges(fields));
      const added = { id, name, models, ...changes };
      const note = auditNote(exchange, "agent_key.add", id, { name, models, ...agentKeyFields(changes) });
      const key = await audit.change(note, () => agentKeys.add(added));
      return { ...describeNewKey(added), key };
    },

    async changeAgentKey({ exchange, params: { id }, body }) {
      const known = await findActive(agentKeys, id);
      const changes = agentKeyChanges(body);
      if (Object.keys(changes).length === 0) return describeAgentKey(known);
      const note = auditNote(exchange, "agent_key.change", id, {
        name: known.name,
        ...agentKeyFields(changes),
      });
      const changed = await audit.change(note, () => agentKeys.change(id, changes));
      if (changed === false) throw new AppError("agent_key_unknown");
      return describeAgentKey(changed);
    },

    async revokeAgentKey({ exchange, params: { id } }) {
      const { name } = await findActive(agentKeys, id);
      const note = auditNote(exchange, "agent_key.revoke", id, { name });
      if (!(await audit.change(note, () => agentKeys.revoke(id)))) throw new AppError("agent_key_unknown");
      return { id, name, revoked: true };
    },
  };
});

/**
 * Returns the name of a connected agent for the audit, as nothing else tells it once the agent is gone. Null if its node
 * does not tell it. Throws an `AppError` if no such agent is connected.
 */
async function nameOf({ relay, nodes }: Pick<AgentDeps, "relay" | "nodes">, id: string) {
  if (!relay.isConnected(id)) throw new AppError("agent_unknown");
  for (const { id: own, profile } of relay.agents()) if (own === id) return { name: profile.name };
  const others = (await nodes?.agents())?.nodes ?? [];
  const row = others.flatMap(({ rows }) => rows).find((candidate) => candidate.id === id);
  return row ? { name: row.name } : null;
}

async function findActive(agentKeys: Pick<AgentKeys, "list">, id: string) {
  const key = (await agentKeys.list()).find((candidate) => candidate.id === id);
  if (!key || key.revokedAt !== null) throw new AppError("agent_key_unknown");
  return key;
}
