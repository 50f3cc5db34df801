import { expect, test } from "bun:test";
import type { AdminModel } from "../../../../src/dashboard/api/types.ts";
import { healthOf, type ModelView, selectModels } from "../../../../src/dashboard/pages/models/model-rows.ts";

const COUNTS = { total: 0, ready: 0, full: 0, slow: 0, failing: 0, paused: 0, draining: 0, loaded: null };

function modelOf(id: string, agents: Partial<AdminModel["agents"]> = { ready: 1 }): AdminModel {
  const { loaded = null, ...states } = agents;
  const total = Object.values(states).reduce((sum, count) => sum + count, 0);
  return {
    ...{ id, offered_since: null, owned_by: null, context_length: null, input_modalities: null },
    ...{
      capabilities: null,
      aliases: [],
      replaced_by: null,
      fallbacks: [],
      agent_list: [],
      last_error: null,
    },
    agents: { ...COUNTS, ...states, total, loaded },
    requests: {
      ...{ asks: 0, failed: 0, share: null, refused: 0 },
      ...{ first_byte_ms_p50: null, first_byte_ms_p95: null, tokens_per_second: null },
    },
    queue: { waiting: 0, oldest_wait_ms: null },
  };
}

const ALL: ModelView = { search: "", filter: "all", order: "name" };
const select = (models: AdminModel[], view: Partial<ModelView>) =>
  selectModels(models, { ...ALL, ...view }).map(({ id }) => id);

test("the state of a model is that of its best agent, unless some agents fail", () => {
  const stateOf = (agents: Partial<AdminModel["agents"]>) => healthOf(modelOf("m", agents)).label;
  expect(stateOf({})).toBe("Not offered");
  expect(stateOf({ ready: 1, full: 3, paused: 1 })).toBe("Ready");
  expect(stateOf({ full: 3, paused: 1 })).toBe("Full");
  expect(stateOf({ slow: 1, full: 1 })).toBe("Slow");
  expect(stateOf({ paused: 2, draining: 1 })).toBe("Paused");
  expect(stateOf({ draining: 1 })).toBe("Draining");
  expect(stateOf({ failing: 2 })).toBe("Failing");
  expect(stateOf({ failing: 1, ready: 5 })).toBe("Partly failing");
});

test("the reason names the agent that failed last, only while an agent fails", () => {
  const last_error = { agent: { id: "a1", name: "box" }, reason: "no GPU", at: "2026-11-23T08:00:00Z" };
  expect(healthOf({ ...modelOf("m", { failing: 1 }), last_error }).reason).toBe("box: no GPU");
  expect(healthOf({ ...modelOf("m", { ready: 1 }), last_error }).reason).toBeNull();
});

test("models are found by their names, aliases, agents, abilities and states, whatever the accents", () => {
  const agent = { id: "a1", name: "Zoë's box", state: "ready", loaded: null, reason: null } as const;
  const models = [
    { ...modelOf("llama3.2"), aliases: ["fast"], agent_list: [agent] },
    { ...modelOf("qwen3"), capabilities: ["vision"], input_modalities: ["text", "image"] },
    modelOf("gone", {}),
  ];
  expect(select(models, { search: "FAST" })).toEqual(["llama3.2"]);
  expect(select(models, { search: "zoe llama" })).toEqual(["llama3.2"]);
  expect(select(models, { search: "image" })).toEqual(["qwen3"]);
  expect(select(models, { search: "not offered" })).toEqual(["gone"]);
  expect(select(models, { search: "llama qwen" })).toEqual([]);
});

test("filters and orders choose what calls for attention, and ties are sorted by name", () => {
  const busy = { ...modelOf("busy", { full: 1 }), queue: { waiting: 2, oldest_wait_ms: 5 } };
  const loaded = modelOf("loaded", { ready: 1, loaded: 1 });
  const missing = modelOf("missing", {});
  missing.requests = { ...missing.requests, refused: 3 };
  const used = modelOf("a10", { ready: 1, failing: 1 });
  used.requests = { ...used.requests, asks: 9, failed: 1, first_byte_ms_p95: 100 };
  const models = [missing, modelOf("a9"), loaded, used, busy];
  expect(select(models, { filter: "problems" })).toEqual(["a10", "missing"]);
  expect(select(models, { filter: "missing" })).toEqual(["missing"]);
  expect(select(models, { filter: "loaded" })).toEqual(["loaded"]);
  expect(select(models, { filter: "waiting" })).toEqual(["busy"]);
  expect(select(models, { order: "name" })).toEqual(["a9", "a10", "busy", "loaded", "missing"]);
  expect(select(models, { order: "requests" })).toEqual(["a10", "missing", "a9", "busy", "loaded"]);
  expect(select(models, { order: "failed" })[0]).toBe("missing");
  expect(select(models, { order: "slow" })[0]).toBe("a10");
  expect(select(models, { order: "waiting" })[0]).toBe("busy");
});
