import { bodyOf, type Description, inPath, jsonAnswer } from "../docs/describe.ts";
import { AddAgentKeyBody, DisconnectBody } from "./agents-schema.ts";
import { AddedAgentKey, AgentDisconnected, AgentKeyList, AgentKeyRevoked, AgentList } from "./answers.ts";
import { AdminKeyBody, EmptyAdminBody } from "./schema.ts";

const AGENT_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
const KEY = { id: "f47ac10b-58cc-4372-a567-0e02b2c3d479", name: "gpu box" };
const ADMIN_NOTE = { admin_key: "The admin key, where it is in no header." };
const BODY_ERRORS = ["body_invalid", "body_too_large", "body_timeout", "audit_failed"] as const;

export const agentDescriptions: readonly Description[] = [
  {
    ...{ method: "GET", path: "/admin/agents", id: "listAgents", tag: "Agents", key: "adminOrQuery" },
    summary: "The agents that are connected",
    answers: {
      "200": jsonAnswer("The agents.", AgentList, {
        agents: [
          {
            ...{ id: AGENT_ID, name: "gpu box", protocol: 2, address: "192.0.2.7", key: "main" },
            ...{ version: "0.1.0", models: ["llama3.2"], slots: 4, in_use: 1, paused: false },
            ...{ draining: false, no_work_because: null },
            ...{ since: "2026-11-23T08:10:14.924Z", last_heard: "2026-11-23T09:01:44.120Z" },
          },
        ],
      }),
    },
  },
  {
    ...{ method: "POST", path: "/admin/agents/:id/disconnect", id: "disconnectAgent", tag: "Agents" },
    key: "adminOrBody",
    summary: "Close an agent's socket",
    description: "At once, or with `drain` when what it runs is done. It does not come back by itself.",
    parameters: [inPath("id", "The agent's id.")],
    body: bodyOf(
      DisconnectBody.extend(AdminKeyBody.shape),
      { ...ADMIN_NOTE, drain: "Finish what runs first." },
      { example: { drain: true }, isRequired: false },
    ),
    answers: {
      "200": jsonAnswer("What becomes of it.", AgentDisconnected, { id: AGENT_ID, state: "draining" }),
    },
    errors: [...BODY_ERRORS, "agent_unknown"],
  },
  {
    ...{ method: "GET", path: "/admin/agents/keys", id: "listAgentKeys", tag: "Agents", key: "adminOrQuery" },
    summary: "The keys of agents, without the keys themselves",
    description: "Revoked ones too. The server's own key is not among them.",
    answers: {
      "200": jsonAnswer("The keys.", AgentKeyList, {
        keys: [{ ...KEY, models: null, created_at: "2026-11-23T08:10:14.924Z", revoked_at: null }],
      }),
    },
    errors: ["verify_failed"],
  },
  {
    ...{ method: "POST", path: "/admin/agents/keys", id: "addAgentKey", tag: "Agents", key: "adminOrBody" },
    summary: "Make a key for an agent",
    description: "The key is shown this once.",
    body: bodyOf(
      AddAgentKeyBody.extend(AdminKeyBody.shape),
      {
        ...ADMIN_NOTE,
        name: "For people; no two that are not revoked have the same.",
        models: "What its agents may offer; everything if missing or null.",
      },
      { example: { name: "gpu box", models: ["llama3.2"] } },
    ),
    answers: {
      "200": jsonAnswer("The key.", AddedAgentKey, {
        ...KEY,
        models: ["llama3.2"],
        key: "agent-3Jm0…",
      }),
    },
    errors: [...BODY_ERRORS, "agent_key_name_taken", "verify_failed"],
  },
  {
    ...{ method: "DELETE", path: "/admin/agents/keys/:id", id: "revokeAgentKey", tag: "Agents" },
    key: "adminOrBody",
    summary: "Revoke an agent's key",
    description: "The sockets that it let in are closed.",
    parameters: [inPath("id", "The key's id.")],
    body: bodyOf(EmptyAdminBody, ADMIN_NOTE, { example: {}, isRequired: false }),
    answers: { "200": jsonAnswer("Revoked.", AgentKeyRevoked, { ...KEY, revoked: true }) },
    errors: [...BODY_ERRORS, "agent_key_unknown", "verify_failed"],
  },
];
